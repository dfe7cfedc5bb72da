import { describe, expect, test } from 'vitest';
import { readTraceEvents } from '@pyagent-trace/core/read';
import { sendJson, startFakeServer } from './fake-server.fixture.ts';
import { runDemo } from './run-demo.fixture.ts';

describe('npm run demo -- --budget', { timeout: 30_000 }, () => {
  test('0.01 ends the debate before the call that could cost more than is left', async () => {
    using demo = await runDemo(['--budget', '0.01']);

    const failed: unknown[] = [];
    for await (const { event_type, payload } of readTraceEvents(demo.file))
      if (event_type === 'error') failed.push([payload['error_type'], payload['code']]);
    const sections = demo.stdout.split('\n\n');
    expect({ code: demo.code, stderr: demo.stderr, failed }).toEqual({
      code: 1,
      stderr:
        'Stopped by the budget of all calls: a call for at most $0.02377 was refused: ' +
        '$0.0003955 of $0.01 spent, $0 reserved\n',
      failed: [
        ['ModelError', 503],
        ['BudgetExceededError', 'budget_exceeded'],
      ],
    });
    expect(sections).toContain('Verdict\n  none');
    expect(sections).toContain('  0.0003955 of 0.01 USD spent');
  });

  test('1 does not get into the way of the debate', async () => {
    using demo = await runDemo(['--budget', '1']);

    expect({ code: demo.code, stderr: demo.stderr }).toEqual({ code: 0, stderr: '' });
    expect(demo.stdout.split('\n\n')).toContain('  0.0018755 of 1 USD spent');
  });

  test('0 asks no model', async () => {
    using demo = await runDemo(['--budget', '0']);

    expect(demo.code).toBe(1);
    expect(demo.stderr).toMatch(/was refused: \$0 of \$0 spent, \$0 reserved\n$/);
    expect(demo.stdout).toContain('  0.0000000 of 0 USD spent');
  });

  test('asks no real model whose price nobody knows', async () => {
    await using server = await startFakeServer((response) => sendJson(response, 500, {}));
    using demo = await runDemo(['--live', '--budget', '1'], {
      env: {
        OPENAI_API_KEY: 'sk-secret-0123456789',
        OPENAI_BASE_URL: server.url,
        OPENAI_MODEL: 'm',
      },
    });

    expect({ code: demo.code, stderr: demo.stderr, requests: server.requests.length }).toEqual({
      code: 1,
      stderr:
        'Stopped by the budget of all calls: a call was refused, since nobody knows what it could ' +
        'cost: no price for "m"\n',
      requests: 0,
    });
  });
});
