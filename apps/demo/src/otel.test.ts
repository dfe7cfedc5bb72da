import { describe, expect, test } from 'vitest';
import { runDemo } from './run-demo.fixture.ts';

describe('npm run demo -- --otel', { timeout: 30_000 }, () => {
  test('shows the tree that the backend received', async () => {
    using demo = await runDemo(['--otel']);

    const [, , receipts = '', received = ''] = demo.stdout.split('\n\n');
    expect({ code: demo.code, stderr: demo.stderr }).toEqual({ code: 0, stderr: '' });
    expect(receipts).toMatch(/\n {2}otel {9}31 delivered, 0 dropped, 0 failed, 0 pending$/m);
    const rows = received.split('\n').map((row) => row.replace(/ +[\d.]+ m?s$/, ' <duration>'));
    expect(rows.map((row) => row.replaceAll(/ {2,}/g, '  '))).toEqual([
      'Received over OTLP: 14 spans',
      'invoke_workflow debate  367→180 tok  $0.0019 <duration>',
      '├ invoke_agent bull  37→40 tok  $0.000099 <duration>',
      '│ ├ execute_tool look_up <duration>',
      '│ └ chat scripted-small  37→40 tok  $0.000099 <duration>',
      '├ invoke_agent bear  39→43 tok  $0.00011 <duration>',
      '│ ├ execute_tool look_up <duration>',
      '│ └ chat scripted-small  39→43 tok  $0.00011 <duration>',
      '├ invoke_agent bull  69→29 tok  $0.000093 <duration>',
      '│ └ chat scripted-small  69→29 tok  $0.000093 <duration>',
      '├ invoke_agent bear  98→25 tok  $0.000099 <duration>',
      '│ ├ chat scripted-small  ✗ ModelError <duration>',
      '│ └ chat scripted-small  98→25 tok  $0.000099 <duration>',
      '└ invoke_agent judge  124→43 tok  $0.0015 <duration>',
      '  └ chat scripted-large  124→43 tok  $0.0015 <duration>',
    ]);
  });
});
