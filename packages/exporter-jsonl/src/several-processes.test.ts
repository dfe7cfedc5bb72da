import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';

/** Writes its share, a hundred lines to a turn, and waits for the others before it begins. */
const WRITER = `
  import { createTraceEvent } from '@pyagent-trace/core';
  import { JsonlExporter } from '@pyagent-trace/exporter-jsonl';
  const [path, writer, count, bytes] = process.argv.slice(1);
  const payload = { text: 'x'.repeat(Number(bytes)) };
  const exporter = new JsonlExporter(path);
  process.stdout.write('ready');
  process.stdin.once('data', async () => {
    for (let id = 0; id < Number(count); id++) {
      const event = { event_type: 'llm_call', agent_name: writer, payload: { id, ...payload } };
      exporter.exportEvent(createTraceEvent(event));
      if (id % 100 === 99) await new Promise((resume) => setImmediate(resume));
    }
    await exporter.shutdown({ timeoutMs: 60_000 });
    process.exitCode = exporter.stats().delivered === Number(count) ? 0 : 1;
    process.stdin.destroy();
  });
`;
const PACKAGE = fileURLToPath(new URL('..', import.meta.url));
const WRITERS = ['a', 'b', 'c', 'd'];
const TORN = '{"timestamp":1,"event_type":"llm_ca';

let folder: string;
let path: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'several-processes-'));
  path = join(folder, 'run.jsonl');
});

afterEach(() => {
  rmSync(folder, { recursive: true, force: true });
});

describe('four processes that write one file', { timeout: 120_000 }, () => {
  test.each([
    ['300 B', 20_000, 200],
    ['10 KB', 1_000, 10_000],
    ['1 MB', 20, 1_000_000],
  ])('tear and lose no line of %s', async (_, count, bytes) => {
    const exitCodes = await write(count, bytes);
    const { torn, ids } = read();

    expect(exitCodes).toEqual([0, 0, 0, 0]);
    expect(torn).toEqual([]);
    for (const writer of WRITERS) expect(ids.get(writer)).toEqual(upTo(count));
  });

  test('lose none after half a line that a process left behind', async () => {
    for (let round = 0; round < 3; round++) {
      writeFileSync(path, TORN);
      const exitCodes = await write(200, 200);
      const { torn, ids } = read();

      expect(exitCodes).toEqual([0, 0, 0, 0]);
      expect(torn).toEqual([TORN]);
      for (const writer of WRITERS) expect(ids.get(writer)).toEqual(upTo(200));
    }
  });
});

/** Starts the writers, lets them begin at once, and waits for all to end. */
async function write(count: number, bytes: number): Promise<unknown[]> {
  const flags = ['--conditions=@pyagent-trace/source', '--input-type=module'];
  const writers = WRITERS.map((name) => {
    const args = [...flags, '-e', WRITER, path, name, String(count), String(bytes)];
    const child = spawn(process.execPath, args, {
      cwd: PACKAGE,
      stdio: ['pipe', 'pipe', 'inherit'],
    });
    const ready = new Promise((resolve) => child.stdout.once('data', resolve));
    const end = new Promise((resolve) => child.once('close', resolve));
    return { child, ready: Promise.race([ready, end]), end };
  });
  await Promise.all(writers.map(({ ready }) => ready));
  for (const { child } of writers) child.stdin.end('go');
  return Promise.all(writers.map(({ end }) => end));
}

function read(): { torn: string[]; ids: Map<string, number[]> } {
  const torn: string[] = [];
  const ids = new Map<string, number[]>();
  for (const line of readFileSync(path, 'utf8').split('\n')) {
    if (line === '') continue; // two may have begun on a fresh line at once
    try {
      const event = JSON.parse(line) as { agent_name: string; payload: { id: number } };
      const of = ids.get(event.agent_name) ?? [];
      ids.set(event.agent_name, of);
      of.push(event.payload.id);
    } catch {
      torn.push(line);
    }
  }
  return { torn, ids };
}

function upTo(count: number): number[] {
  return Array.from({ length: count }, (_, i) => i);
}
