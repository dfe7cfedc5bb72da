import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { cassetteFetch } from './cassette-fetch.ts';

const PROGRAM = fileURLToPath(new URL('../../fixtures/cassette.ts', import.meta.url));

let folder: string;
let path: string;

beforeEach(() => {
  vi.stubEnv('PYAGENT_TRACE_REPLAY', undefined);
  vi.stubEnv('CI', undefined);
  folder = mkdtempSync(join(tmpdir(), 'cassette-'));
  path = join(folder, 'x.jsonl');
});

afterEach(() => {
  vi.unstubAllEnvs();
  rmSync(folder, { recursive: true, force: true });
});

/** Runs the program to its end; with `killAt`, until it has printed that many lines. */
async function run(
  args: readonly unknown[],
  { killAt = Infinity, flags = [] as string[] } = {},
): Promise<{ printed: number; code: number | null; stderr: string }> {
  const child = spawn(
    process.execPath,
    ['--conditions=@pyagent-trace/source', ...flags, PROGRAM, path, ...args.map(String)],
    { stdio: ['ignore', 'pipe', 'pipe'] },
  );
  let [printed, stderr] = [0, ''];
  child.stdout.on('data', (chunk: Buffer) => {
    printed += String(chunk).split('\n').length - 1;
    if (printed >= killAt) child.kill('SIGKILL');
  });
  child.stderr.on('data', (chunk: Buffer) => (stderr += String(chunk)));
  const code = await new Promise<number | null>((resolve) => {
    child.once('close', resolve);
  });
  return { printed, code, stderr };
}

function asked(): string[] {
  return readFileSync(path, 'utf8')
    .split('\n')
    .filter((line) => line.endsWith('}'))
    .map(
      (line) =>
        (JSON.parse(line) as { metadata: { request: { body: string } } }).metadata.request.body,
    );
}

const live: typeof globalThis.fetch = async (_, init) => {
  await new Promise((resolve) => setTimeout(resolve, Math.random() * 20));
  const pieces = [`${init?.body as string} `, 'a', 'b'].map((text) => Buffer.from(text));
  return new Response(ReadableStream.from(pieces));
};

async function askAll(fetch: typeof globalThis.fetch): Promise<string[]> {
  const bodies = Array.from({ length: 100 }, (_, i) => `question ${i}`);
  return Promise.all(
    bodies.map(async (body) => (await fetch('http://x/', { method: 'POST', body })).text()),
  );
}

describe('cassetteFetch', { timeout: 60_000 }, () => {
  test('several processes write one file, and each finds its answers again', async () => {
    const names = ['a', 'b', 'c'];
    const ends = await Promise.all(names.map(async (name) => run(['auto', name, 200])));

    expect(ends.map(({ code, stderr }) => [code, stderr])).toEqual(names.map(() => [0, '']));
    const all = names.flatMap((name) => Array.from({ length: 200 }, (_, i) => `${name} ${i}`));
    expect(asked().toSorted()).toEqual(all.toSorted());
    const replays = await Promise.all(names.map(async (name) => run(['replay', name, 200])));
    expect(replays.map(({ code }) => code)).toEqual([0, 0, 0]);
  });

  test('what an app has read to the end survives kill -9, and the next run goes on', async () => {
    const { printed } = await run(['auto', 'a', 1e9, 5_000], { killAt: 300 });

    expect(asked().length).toBeGreaterThanOrEqual(printed);
    expect(asked().slice(0, printed)).toEqual(Array.from({ length: printed }, (_, i) => `a ${i}`));
    const next = await run(['auto', 'a', printed + 300, 5_000]);
    expect([next.code, next.stderr]).toEqual([0, '']);
    expect(asked().length).toBeGreaterThanOrEqual(printed + 300);
  });

  test('replays a file that is larger than the memory it may take', async () => {
    const answers = 200;
    await run(['auto', 'a', answers, 1_000_000]);
    expect(statSync(path).size).toBeGreaterThan(200e6);

    const flags = ['--max-old-space-size=128'];
    const { code, printed, stderr } = await run(['replay', 'a', answers, 1_000_000], { flags });

    expect([code, printed, stderr]).toEqual([0, answers, '']);
  });

  test('a hundred requests at once each have their line, and their answer again', async () => {
    const recorded = await askAll(cassetteFetch({ path, mode: 'record', fetch: live }));

    expect(await askAll(cassetteFetch({ path }))).toEqual(recorded);
    expect(recorded[42]).toBe('question 42 ab');
    expect(asked()).toHaveLength(100);
  });
});
