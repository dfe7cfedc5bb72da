import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import type { FlushReport } from '@pyagent-trace/core';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { SoakReport } from '../fixtures/soak.ts';

const PROGRAM = fileURLToPath(new URL('../fixtures/soak.ts', import.meta.url));
const MB = 1024 * 1024;
/** Of the program's events. */
const LINE_BYTES = 117;
const MAX_GROWTH = 5 * MB;
const MAX_RSS_GROWTH = 64 * MB;

let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'soak-'));
});

afterEach(() => {
  rmSync(folder, { recursive: true, force: true });
});

describe('a bus with a JSONL exporter', { timeout: 120_000 }, () => {
  test('uses no more memory after 10 million events, and every one of them is in the file', async () => {
    const events = 10_000_000;
    const { lines, flushed, memoryBytes, rssBytes } = await soak(events, 'keeps');

    expect([lines, flushed]).toEqual([
      events,
      { exporter: 'jsonl', delivered: events, failed: 0, dropped: 0, pending: 0 },
    ]);
    expect(growth(memoryBytes)).toBeLessThan(MAX_GROWTH);
    expect(growth(rssBytes)).toBeLessThan(MAX_RSS_GROWTH);
  });

  test('keeps 8 MiB of a million events, and counts the rest, while the disk refuses all', async () => {
    const events = 1_000_000;
    const { lines, flushed, shutDown, memoryBytes, rssBytes } = await soak(events, 'refuses');

    expect([lines, flushed?.delivered, sum(flushed), sum(shutDown)]).toEqual([
      0,
      0,
      events,
      events,
    ]);
    expect(flushed?.pending).toBe(Math.floor((8 * MB) / LINE_BYTES));
    expect(growth(memoryBytes)).toBeLessThan(MAX_GROWTH);
    expect(growth(rssBytes)).toBeLessThan(MAX_RSS_GROWTH);
  });
});

async function soak(events: number, sink: 'keeps' | 'refuses'): Promise<SoakReport> {
  const { stdout } = await promisify(execFile)(process.execPath, [
    '--expose-gc',
    '--conditions=@pyagent-trace/source',
    PROGRAM,
    join(folder, 'soak.jsonl'),
    String(events),
    sink,
  ]);
  return JSON.parse(stdout) as SoakReport;
}

function growth([before, after]: readonly [number, number]): number {
  return after - before;
}

function sum(report: FlushReport | undefined): number {
  const { delivered = 0, failed = 0, dropped = 0, pending = 0 } = report ?? {};
  return delivered + failed + dropped + pending;
}
