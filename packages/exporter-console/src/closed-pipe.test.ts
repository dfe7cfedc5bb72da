import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { describe, expect, test } from 'vitest';

const run = promisify(execFile);

/** Prints for as long as it takes to see its reader gone, then says how it went on stderr. */
const app = (format: string): string => `
  import { createTraceEvent, TraceEventBus } from '@pyagent-trace/core';
  import { ConsoleExporter } from '@pyagent-trace/exporter-console';

  const bus = new TraceEventBus();
  bus.attach(new ConsoleExporter({ format: '${format}', color: false }));
  const print = async () => {
    for (let i = 0; i < 100; i++)
      bus.emit(createTraceEvent({ event_type: 'agent_start', agent_name: 'bull' }));
    const [report] = await bus.flush();
    if (report.dropped < 100) return setTimeout(print, 1);
    const errorListeners = process.stdout.listenerCount('error');
    console.error(JSON.stringify({ ...report, errorListeners }));
  };
  print();
`;

describe('ConsoleExporter in a pipe', () => {
  test.skipIf(process.platform === 'win32').for([
    ['line', '[agent_start] agent=bull\n'],
    ['pretty', '┌ bull\n'],
  ] as const)(
    'ends quietly when the reader of %s has gone (skipped on Windows)',
    async ([format, firstLine]) => {
      const { stdout, stderr } = await run(
        'sh',
        ['-c', '{ "$0" "$@"; echo "exit code $?" >&2; } | head -1', process.execPath].concat([
          '--conditions=@pyagent-trace/source',
          '--input-type=module',
          '--eval',
          app(format),
        ]),
        { cwd: new URL('..', import.meta.url) },
      );
      expect(stdout).toBe(firstLine);
      const [report, ...rest] = stderr.trimEnd().split('\n');
      expect(rest).toEqual(['exit code 0']);
      expect(JSON.parse(report ?? '')).toEqual({
        exporter: 'console',
        delivered: expect.any(Number) as number,
        failed: expect.any(Number) as number,
        dropped: expect.any(Number) as number,
        pending: 0,
        error: 'the output is closed',
        errorListeners: 0,
      });
    },
  );
});
