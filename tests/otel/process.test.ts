import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { describe, expect, test } from 'vitest';
import { startOtlpReceiver } from '../../apps/demo/src/otlp-receiver.ts';

const APP = fileURLToPath(new URL('app.fixture.ts', import.meta.url));
const run = promisify(execFile);
const ALL = { accepted: 600, delivered: 600, failed: 0, dropped: 0, pending: 0 };

// a process that loads the SDK takes a second, more on a busy machine
describe('a process that is traced through NodeSDK', { timeout: 60_000 }, () => {
  test('delivers everything when it shuts down exporter, then SDK', async () => {
    await using receiver = await startOtlpReceiver();
    const { stdout, stderr } = await runApp('in order', receiver.url);

    expect({ stats: JSON.parse(stdout), stderr, spans: receiver.spans.length }).toEqual({
      stats: ALL,
      stderr: '',
      spans: 300,
    });
    const ids = new Set(receiver.spans.map(({ span_id }) => span_id));
    const roots = receiver.spans.filter(({ parent_span_id }) => parent_span_id === '');
    const lost = receiver.spans.filter(
      ({ parent_span_id }) => parent_span_id !== '' && !ids.has(parent_span_id),
    );
    expect({ ids: ids.size, roots: roots.length, lost }).toEqual({
      ids: 300,
      roots: 100,
      lost: [],
    });
  });

  test('runs as it would untraced when the backend is down, and ends', async () => {
    const receiver = await startOtlpReceiver();
    await receiver[Symbol.asyncDispose]();
    const { stdout, stderr } = await runApp('in order', receiver.url);

    const { accepted, dropped, delivered, failed, pending } = JSON.parse(stdout) as typeof ALL;
    expect({ sum: delivered + failed + pending, accepted, dropped, stderr }).toEqual({
      sum: 600,
      accepted: 600,
      dropped: 0,
      stderr: '',
    });
  });

  test('is not kept alive by the exporter', async () => {
    await using receiver = await startOtlpReceiver();
    const { stdout, stderr } = await runApp('without a word', receiver.url);

    expect({ accepted: (JSON.parse(stdout) as typeof ALL).accepted, stderr }).toEqual({
      accepted: 600,
      stderr: '',
    });
  });

  test('runs as it would untraced when nobody set up an SDK', async () => {
    const { stdout, stderr } = await runApp('without an SDK', 'http://127.0.0.1:9/v1/traces');

    expect({ accepted: (JSON.parse(stdout) as typeof ALL).accepted, stderr }).toEqual({
      accepted: 600,
      stderr: '',
    });
  });
});

function runApp(how: string, url: string): Promise<{ stdout: string; stderr: string }> {
  return run(process.execPath, ['--conditions=@pyagent-trace/source', APP, how], {
    env: {
      PATH: process.env['PATH'],
      OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: url,
      OTEL_METRICS_EXPORTER: 'none',
      OTEL_LOGS_EXPORTER: 'none',
    },
  });
}
