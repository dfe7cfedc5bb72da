import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { Scenario } from '../fixtures/exit.ts';

const PROGRAM = fileURLToPath(new URL('../fixtures/exit.ts', import.meta.url));
const DURABILITIES = ['tick', 'line', 'fsync'] as const;
/** What has not filled 64 KiB: of 1,000 lines of 318 bytes, the last 172. */
const IN_MEMORY = 1_000 % Math.ceil((64 * 1024) / 318);

interface End {
  readonly code: number | null;
  readonly signal: string | null;
  readonly stdout: string;
}

interface Row extends Omit<Scenario, 'count'> {
  readonly end: End;
}

const exits = (code: number, stdout = ''): End => ({ code, signal: null, stdout });
const killedBy = (signal: string, stdout = ''): End => ({ code: null, signal, stdout });

/** Ends at which exit listeners run. */
const orderly: readonly Row[] = [
  { way: 'end', moment: 'within', end: exits(0) },
  { way: 'process.exit', moment: 'first', end: exits(3) },
  { way: 'process.exit', moment: 'within', end: exits(3) },
  { way: 'process.exit', moment: 'after', end: exits(3) },
  { way: 'uncaught exception', moment: 'first', end: exits(1) },
  { way: 'uncaught exception', moment: 'within', end: exits(1) },
  { way: 'uncaught exception', moment: 'after', end: exits(1) },
  { way: 'unhandled rejection', moment: 'within', end: exits(1) },
  { way: 'unhandled rejection', moment: 'after', end: exits(1) },
];

const orderlyInWorker: readonly Row[] = [
  { way: 'end', moment: 'within', end: exits(0, 'worker 0\n') },
  { way: 'process.exit', moment: 'within', end: exits(0, 'worker 3\n') },
  { way: 'process.exit', moment: 'after', end: exits(0, 'worker 3\n') },
  { way: 'uncaught exception', moment: 'within', end: exits(0, 'worker: boom\nworker 1\n') },
  { way: 'uncaught exception', moment: 'after', end: exits(0, 'worker: boom\nworker 1\n') },
  { way: 'unhandled rejection', moment: 'within', end: exits(0, 'worker: boom\nworker 1\n') },
];

/** Ends at which nothing of the program runs any more. */
const kills: readonly Omit<Row, 'moment'>[] = [
  { way: 'SIGTERM', end: killedBy('SIGTERM') },
  { way: 'SIGINT', end: killedBy('SIGINT') },
  { way: 'SIGKILL', end: killedBy('SIGKILL') },
  { way: 'abort', end: killedBy('SIGABRT') },
  { way: 'out of memory', end: killedBy('SIGABRT') },
  { way: 'wait', end: killedBy('SIGKILL', 'waits\n') }, // by this test
  { way: 'wait', worker: 'terminate', end: exits(0, 'worker 1\n') },
  { way: 'wait', worker: 'process.exit', end: exits(3) },
];

/** Where Node keeps compiled code: the programs start in half the time. */
let cache: string;
let folder: string;

beforeAll(() => {
  cache = mkdtempSync(join(tmpdir(), 'exit-matrix-cache-'));
});

afterAll(() => {
  rmSync(cache, { recursive: true, force: true });
});

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'exit-matrix-'));
});

afterEach(() => {
  rmSync(folder, { recursive: true, force: true });
});

/** Each scenario is run without an exporter and with each durability, at the same time. */
describe.skipIf(process.platform === 'win32')(
  'a process that ends without flush, and as it would without an exporter',
  { timeout: 60_000 },
  () => {
    test.each(orderly)('loses nothing by: $way, $moment', async (row) => {
      expect(await lostIn(row)).toEqual({ tick: 0, line: 0, fsync: 0 });
    });

    test.each(orderlyInWorker)('loses nothing by, in a worker: $way, $moment', async (row) => {
      expect(await lostIn({ ...row, worker: 'nothing' })).toEqual({ tick: 0, line: 0, fsync: 0 });
    });

    test.each(kills)(
      'loses nothing of an earlier synchronous run by: $way, worker: $worker',
      async (row) => {
        expect(await lostIn({ ...row, moment: 'after' })).toEqual({ tick: 0, line: 0, fsync: 0 });
      },
    );

    test.each(kills)(
      'loses at most 64 KiB of the same synchronous run by: $way, worker: $worker',
      async (row) => {
        expect(await lostIn({ ...row, moment: 'within' })).toEqual({
          tick: IN_MEMORY,
          line: 0,
          fsync: IN_MEMORY,
        });
      },
    );

    test('loses all of a synchronous run that has less than 64 KiB by SIGKILL', async () => {
      const row: Row = { way: 'SIGKILL', moment: 'within', end: killedBy('SIGKILL') };

      expect(await lostIn(row, 100)).toEqual({ tick: 100, line: 0, fsync: 100 });
    });
  },
);

/** How many events each durability lost. The end is the row's, and what is printed no more than without. */
async function lostIn({ end, ...row }: Row, count = 1_000): Promise<Record<string, number>> {
  const scenario: Scenario = { ...row, count };
  const [without, ...traced] = await Promise.all([
    run(scenario),
    ...DURABILITIES.map(async (durability) =>
      run({ ...scenario, durability, file: fileOf(durability) }),
    ),
  ]);

  expect(without).toMatchObject(end);
  expect(traced).toEqual(DURABILITIES.map(() => without));
  return Object.fromEntries(
    DURABILITIES.map((durability) => [durability, count - linesOf(fileOf(durability))]),
  );
}

function fileOf(durability: string): string {
  return join(folder, `${durability}.jsonl`);
}

async function run(scenario: Scenario): Promise<End & { readonly stderr: string }> {
  const child = spawn(
    process.execPath,
    [
      '--conditions=@pyagent-trace/source',
      '--max-old-space-size=64',
      PROGRAM,
      JSON.stringify(scenario),
    ],
    {
      env: { ...process.env, NODE_COMPILE_CACHE: cache },
      stdio: ['ignore', 'pipe', 'pipe'],
      timeout: 50_000,
      killSignal: 'SIGQUIT',
    },
  );
  let [stdout, stderr] = ['', ''];
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    stdout += text;
    if (text.includes('waits')) child.kill('SIGKILL');
  });
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    stderr += text;
  });
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code, signal) => {
      // V8 prints addresses and times there
      resolve({ code, signal, stdout, stderr: scenario.way === 'out of memory' ? '' : stderr });
    });
  });
}

/** How many lines there are, having seen that they are the first ones, whole and in order. */
function linesOf(file: string): number {
  let text = '';
  try {
    text = readFileSync(file, 'utf8');
  } catch {
    // nothing was written
  }
  const numbers = text
    .split('\n')
    .slice(0, -1)
    .map((line) => Number((JSON.parse(line) as { payload: { number: string } }).payload.number));
  expect(text === '' || text.endsWith('\n')).toBe(true);
  expect(numbers).toEqual(numbers.map((_, index) => index));
  return numbers.length;
}
