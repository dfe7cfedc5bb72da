import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { ReplayReport } from '../fixtures/replay-file.ts';

const PROGRAM = fileURLToPath(new URL('../fixtures/replay-file.ts', import.meta.url));
/** More than is held in memory. `READ_MIB=1024` takes a minute. */
const MIB = Number(process.env['READ_MIB'] ?? 128);
/** Texts, what the index keeps of each call, and what is compiled meanwhile. */
const MAX_HELD = 64 * 1024 * 1024;
const MAX_PER_CALL = 1_000;
const MAX_MORE = 16 * 1024 * 1024;

let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'replay-'));
});

afterEach(() => rmSync(folder, { recursive: true }));

describe('createReplayer', () => {
  test(
    `answers from ${MIB} MiB, and finds the nearest question, in bounded memory`,
    { timeout: 300_000 },
    async () => {
      const { calls, heldBytes, wrong, missMessage } = await replay(join(folder, 'run.jsonl'));

      expect(wrong).toBe(0);
      expect(missMessage).toMatch(
        new RegExp(
          `the nearest is line ${2 * (Math.floor(calls / 2) + 1) + 1} .*\\n.*\\{\\+ today\\+\\}$`,
        ),
      );
      expect(heldBytes).toBeLessThan(MAX_HELD + calls * MAX_PER_CALL + MAX_MORE);
    },
  );
});

async function replay(path: string): Promise<ReplayReport> {
  const { stdout } = await promisify(execFile)(process.execPath, [
    '--expose-gc',
    '--conditions=@pyagent-trace/source',
    '--disable-warning=ExperimentalWarning',
    PROGRAM,
    path,
    String(MIB),
  ]);
  return JSON.parse(stdout) as ReplayReport;
}
