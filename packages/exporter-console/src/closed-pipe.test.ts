import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { promisify } from 'node:util';
import { describe, expect, test } from 'vitest';

const run = promisify(execFile);

/** Prints for as long as it takes to see its output gone, then says how it went on stderr. */
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

/** What the app says when its output goes where the redirection says. */
async function runInto(
  redirection: string,
  format: string,
): Promise<{ stdout: string; report: unknown; rest: string[] }> {
  const { stdout, stderr } = await run(
    'sh',
    ['-c', `{ "$0" "$@"; echo "exit code $?" >&2; } ${redirection}`, process.execPath].concat([
      '--conditions=@pyagent-trace/source',
      '--input-type=module',
      '--eval',
      app(format),
    ]),
    { cwd: new URL('..', import.meta.url) },
  );
  const [report = '', ...rest] = stderr.trimEnd().split('\n');
  return { stdout, report: JSON.parse(report), rest };
}

describe('ConsoleExporter in a pipe', () => {
  test.skipIf(process.platform === 'win32').for([
    ['line', '[agent_start] agent=bull\n'],
    ['pretty', '┌ bull\n'],
  ] as const)(
    'ends quietly when the reader of %s has gone (skipped on Windows)',
    async ([format, firstLine]) => {
      expect(await runInto('| head -1', format)).toEqual({
        stdout: firstLine,
        report: {
          exporter: 'console',
          delivered: expect.any(Number) as number,
          failed: expect.any(Number) as number,
          dropped: expect.any(Number) as number,
          pending: 0,
          error: 'the output is closed',
          errorListeners: 0,
        },
        rest: ['exit code 0'],
      });
    },
  );
});

describe('ConsoleExporter in a file', () => {
  test.skipIf(!existsSync('/dev/full'))(
    'drops what comes after the disk was full (skipped without /dev/full)',
    async () => {
      expect(await runInto('> /dev/full', 'line')).toEqual({
        stdout: '',
        report: {
          exporter: 'console',
          delivered: 0,
          failed: expect.any(Number) as number,
          dropped: expect.any(Number) as number, // 100 or more, or the app would not end
          pending: 0,
          error: expect.stringMatching(/ENOSPC|the output is closed/) as string,
          errorListeners: 0,
        },
        rest: ['exit code 0'],
      });
    },
  );
});
