import { spawn } from 'node:child_process';
import { appendFileSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { readRecording } from './read-recording.ts';

const PROGRAM = fileURLToPath(new URL('../fixtures/kill.ts', import.meta.url));
/** `KILL_ROUNDS=1000` is for a longer look. */
const ROUNDS = Number(process.env['KILL_ROUNDS'] ?? 20);
const MAX_DELAY_MS = 30;
/** What a kill in the middle of a write leaves. Such kills are rare, so each round leaves it. */
const HALF_A_LINE = '{"timestamp":1735689660';

let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'kill-'));
});

afterEach(() => rmSync(folder, { recursive: true, force: true }));

describe('a process that is killed while it records', { timeout: 10_000 + ROUNDS * 2_000 }, () => {
  test('has every acknowledged call in the file, and so has the next one that appends to it', async () => {
    const path = join(folder, 'run.jsonl');
    const acknowledged: number[] = [];
    while (acknowledged.length < ROUNDS) {
      acknowledged.push(await killWhileItRecords(path, acknowledged.length));
      appendFileSync(path, HALF_A_LINE);
    }

    const { recorded, torn } = await readRounds(path);

    expect(recorded.map((count, round) => Math.min(count, acknowledged[round] as number))).toEqual(
      acknowledged,
    );
    expect(torn).toBe(ROUNDS);
  });
});

/** How many calls the process had acknowledged. */
async function killWhileItRecords(path: string, round: number): Promise<number> {
  const child = spawn(
    process.execPath,
    ['--conditions=@pyagent-trace/source', PROGRAM, path, String(round)],
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

/** How many calls of each round are in the file, having seen that they are the first ones, in order. */
async function readRounds(path: string): Promise<{ recorded: number[]; torn: number }> {
  const recorded: number[] = [];
  let torn = 0;
  const onError = (): void => {
    torn += 1;
  };
  for await (const { event_type, metadata } of readRecording(path, { onError })) {
    if (event_type !== 'llm_call') continue;
    const round = Number(metadata['round']);
    if (round !== recorded.length - 1) recorded.push(0);
    expect([round, metadata['number']]).toEqual([recorded.length - 1, recorded[round]]);
    recorded[round] = (recorded[round] ?? 0) + 1;
  }
  return { recorded, torn };
}
