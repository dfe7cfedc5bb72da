import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { createTraceEvent } from '@pyagent-trace/core';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { cancelAtExit, runAtExit } from './exit-hook.ts';
import { JsonlExporter } from './jsonl-exporter.ts';

/** A program that traces and calls neither flush nor shutdown. */
const PROGRAM = `
  import { createTraceEvent } from '@pyagent-trace/core';
  import { JsonlExporter } from '@pyagent-trace/exporter-jsonl';
  const exporter = new JsonlExporter(process.argv[1]);
  let emitted = 0;
  process.exitCode = 0;
  const emit = (count) => {
    for (const end = emitted + count; emitted < end; emitted++)
      exporter.exportEvent(createTraceEvent({ event_type: 'llm_call', payload: { emitted } }));
  };
`;
const PACKAGE = fileURLToPath(new URL('..', import.meta.url));

let folder: string;
let path: string;
/** What the last program wrote there. */
let stderr = '';

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'exit-hook-'));
  path = join(folder, 'run.jsonl');
});

afterEach(() => {
  rmSync(folder, { recursive: true, force: true });
});

describe('a process that ends without shutdown', { timeout: 30_000 }, () => {
  test.each([
    ['at its natural end', 'emit(100);', 0],
    ['at its natural end, after a last event', 'setTimeout(() => emit(100), 5);', 0],
    ['by process.exit in the first tick', 'emit(100); process.exit(3);', 3],
    ['by process.exit later', 'emit(50); setTimeout(() => { emit(50); process.exit(3); }, 5);', 3],
    ['by an uncaught exception', 'emit(100); throw new Error("boom");', 1],
    [
      'by an uncaught exception later',
      'emit(50); setTimeout(() => { emit(50); throw new Error("boom"); }, 5);',
      1,
    ],
    ['by an unhandled rejection', 'emit(100); Promise.reject(new Error("boom"));', 1],
    [
      'with an exit listener that emits, before and after the exporter’s own',
      'process.on("exit", () => emit(40)); emit(20); process.on("exit", () => emit(40));',
      0,
    ],
    [
      'by process.exit with exit listeners that emit',
      'process.on("exit", () => emit(40)); emit(20); process.on("exit", () => emit(40)); process.exit(3);',
      3,
    ],
    [
      'by process.exit while shutdown is under way',
      'emit(100); void exporter.shutdown(); process.exit(3);',
      3,
    ],
  ])('loses nothing %s', async (_, code, exitCode) => {
    const end = await run(code);

    expect([end, emittedIn(path)]).toEqual([{ code: exitCode, signal: null }, upTo(100)]);
  });

  test.each(['SIGKILL', 'SIGTERM', 'SIGINT'] as const)(
    'loses nothing of what was emitted before the last turn by %s',
    async (name) => {
      const end = await run(
        'emit(100); setImmediate(() => console.log("ready")); setInterval(() => {}, 60_000);',
        { kill: name },
      );

      expect([end, emittedIn(path)]).toEqual([{ code: null, signal: name }, upTo(100)]);
    },
  );

  test('ends, with its own exit code, although the disk refuses, and says what is lost', async () => {
    const end = await run('emit(100); setTimeout(() => emit(100), 50);', { file: folder });

    expect(end).toEqual({ code: 0, signal: null });
    expect(stderr).toBe(
      `JsonlExporter: events lost at exit: 200 (EISDIR: expected a regular file, got a directory, open '${folder}')\n`,
    );
  });

  test('says nothing of what a shutdown gave up: its receipt does', async () => {
    const end = await run('emit(100); await exporter.shutdown({ timeoutMs: 0 });', {
      file: folder,
    });

    expect([end, stderr]).toEqual([{ code: 0, signal: null }, '']);
  });

  test.each([
    ['none by being imported and constructed', '', 0],
    ['one, for exit, by writing', 'emit(1);', 1],
    ['none any more after shutdown', 'emit(1); await exporter.shutdown();', 0],
  ])('has listeners on the process: %s', async (_, code, count) => {
    const end = await run(`${code}
      const names = ['exit', 'beforeExit', 'uncaughtException', 'unhandledRejection'];
      const signals = ['SIGINT', 'SIGTERM', 'SIGHUP', 'SIGUSR2'];
      for (const name of [...names, ...signals]) process.exitCode += process.listenerCount(name);
    `);

    expect(end).toEqual({ code: count, signal: null });
  });
});

describe('runAtExit', () => {
  test('has one listener for 2,000 exporters, and none when all are shut down', async () => {
    const before = process.listenerCount('exit');
    const exporters = Array.from(
      { length: 2_000 },
      (_, i) => new JsonlExporter(join(folder, `${i}.jsonl`)),
    );
    const constructed = process.listenerCount('exit') - before;
    const event = createTraceEvent({ event_type: 'llm_call' });
    for (const { exportEvent } of exporters) exportEvent(event);
    const emitting = process.listenerCount('exit') - before;
    await Promise.all(exporters.slice(1).map(async (exporter) => exporter.shutdown()));
    const last = process.listenerCount('exit') - before;
    await exporters[0]?.shutdown();

    expect([constructed, emitting, last, process.listenerCount('exit') - before]).toEqual([
      0, 1, 1, 0,
    ]);
  });

  test('is shared by two copies of the package', async () => {
    const before = process.listenerCount('exit');
    vi.resetModules();
    const copy = await import('./exit-hook.ts');
    const [mine, theirs] = [() => {}, () => {}];
    runAtExit(mine);
    copy.runAtExit(theirs);
    const added = process.listenerCount('exit') - before;
    cancelAtExit(mine);
    copy.cancelAtExit(theirs);

    expect(copy.runAtExit).not.toBe(runAtExit);
    expect([added, process.listenerCount('exit') - before]).toEqual([1, 0]);
  });
});

/** Runs a program to its end; with `kill`, until it prints and the signal ends it. */
async function run(
  code: string,
  { kill, file = path }: { kill?: NodeJS.Signals; file?: string } = {},
): Promise<{ code: number | null; signal: string | null }> {
  const args = ['--conditions=@pyagent-trace/source', '--input-type=module', '-e', PROGRAM + code];
  const child = spawn(process.execPath, [...args, file], {
    cwd: PACKAGE,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  stderr = '';
  child.stderr.on('data', (chunk) => (stderr += String(chunk)));
  if (kill !== undefined) child.stdout.once('data', () => child.kill(kill));
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (exitCode, signal) => resolve({ code: exitCode, signal }));
  });
}

function emittedIn(file: string): unknown[] {
  return readFileSync(file, 'utf8')
    .split('\n')
    .slice(0, -1)
    .map((line) => (JSON.parse(line) as { payload: { emitted: number } }).payload.emitted);
}

function upTo(count: number): number[] {
  return Array.from({ length: count }, (_, i) => i);
}
