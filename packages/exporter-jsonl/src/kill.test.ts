import { spawn } from 'node:child_process';
import { appendFileSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { readTraceEvents } from '@pyagent-trace/core/read';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';

const PROGRAM = fileURLToPath(new URL('../fixtures/kill.ts', import.meta.url));
/** In all; `KILL_ROUNDS=1000` is for a longer look. */
const ROUNDS = Number(process.env['KILL_ROUNDS'] ?? 50);
/** Files, each written by one process after the other, side by side. */
const FILES = ['tick', 'line', 'tick', 'line', 'tick'];
const MAX_DELAY_MS = 30;
/** What a kill in the middle of a write leaves. Such kills are rare, so each round leaves it. */
const HALF_A_LINE = '{"timestamp":1735689660';

let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'kill-'));
});

afterEach(() => {
  rmSync(folder, { recursive: true, force: true });
});

describe(
  'a process that is killed at a random moment',
  { timeout: 10_000 + ROUNDS * 1_000 },
  () => {
    test('has every acknowledged event in the file, and so has the next one that appends to it', async () => {
      const files = await Promise.all(
        FILES.map(async (durability, index) => {
          const file = join(folder, `${index}.jsonl`);
          const acknowledged: number[] = [];
          while (acknowledged.length < ROUNDS / FILES.length) {
            acknowledged.push(await killWhileItWrites(file, durability, acknowledged.length));
            appendFileSync(file, HALF_A_LINE);
          }
          return { acknowledged, read: await readRounds(file) };
        }),
      );

      for (const { acknowledged, read } of files) {
        const kept = read.written.map((count, round) => Math.min(count, acknowledged[round] ?? 0));
        expect(kept).toEqual(acknowledged);
        expect(read.torn).toBe(acknowledged.length);
      }
    });
  },
);

/** How many events the process had acknowledged. */
async function killWhileItWrites(file: string, durability: string, round: number): Promise<number> {
  const child = spawn(
    process.execPath,
    ['--conditions=@pyagent-trace/source', PROGRAM, file, durability, String(round)],
    {
      env: { ...process.env, NODE_COMPILE_CACHE: join(folder, 'cache') },
      stdio: ['ignore', 'pipe', 'inherit'],
      timeout: 60_000,
      killSignal: 'SIGKILL',
    },
  );
  let acknowledged = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    if (acknowledged === '') setTimeout(() => child.kill('SIGKILL'), Math.random() * MAX_DELAY_MS);
    acknowledged = (acknowledged + text).slice(-100);
  });
  const signal = await new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (_, name) => resolve(name));
  });
  expect(signal).toBe('SIGKILL');
  return Number(acknowledged.split('\n').at(-2));
}

/** How many events of each round are in the file, having seen that they are the first ones, in order. */
async function readRounds(file: string): Promise<{ written: number[]; torn: number }> {
  const written: number[] = [];
  let torn = 0;
  const onError = (): void => {
    torn += 1;
  };
  for await (const { payload } of readTraceEvents(file, { onError })) {
    const round = Number(payload['round']);
    if (round !== written.length - 1) written.push(0);
    expect([round, payload['number']]).toEqual([written.length - 1, written[round]]);
    written[round] = (written[round] ?? 0) + 1;
  }
  return { written, torn };
}
