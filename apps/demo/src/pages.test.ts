import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { runDemo } from './run-demo.fixture.ts';

const PAGES = ['README.md', 'apps/demo/README.md'];

describe('the pages about the demo', { timeout: 30_000 }, () => {
  test('show what it prints', async () => {
    using demo = await runDemo([]);

    const printed = normalise(demo.stdout);
    for (const excerpt of PAGES.flatMap((page) => excerptsOf(page, '┌ debate')))
      expect(printed).toContain(excerpt);
  });

  test('show what a backend receives with --otel', async () => {
    using demo = await runDemo(['--otel']);

    const printed = normalise(demo.stdout);
    for (const excerpt of excerptsOf('apps/demo/README.md', 'invoke_workflow debate'))
      expect(printed).toContain(excerpt);
  });

  test('show what a replay says of itself', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'pages-'));
    try {
      const path = join(folder, 'run.jsonl');
      using live = await runDemo(['--record', path]);
      using replayed = await runDemo(['--replay', path]);

      expect(live.code).toBe(0);
      const printed = replayed.stdout.replaceAll(/\S+run\.jsonl/g, 'run.jsonl');
      for (const excerpt of excerptsOf('apps/demo/README.md', 'Replayed from'))
        expect(printed).toContain(excerpt);
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
});

/** What a page shows of a run; `…` on a line of its own stands for what it leaves out. */
function excerptsOf(page: string, what: string): string[] {
  const text = readFileSync(new URL(`../../../${page}`, import.meta.url), 'utf8');
  const block = text.match(/(?<=```text\n)[^`]*(?=```)/g)?.find((shown) => shown.includes(what));
  if (block === undefined) throw new Error(`${page} shows no ${what}`);
  return normalise(block)
    .split(/^…$/m)
    .map((excerpt) => excerpt.trim());
}

/** Without what differs from run to run: durations and the time in a file's name. */
function normalise(text: string): string {
  return text
    .replaceAll(/ +[\d.]+ m?s$/gm, ' <duration>')
    .replaceAll(/traces\/demo-\S+Z/g, 'traces/demo-<time>');
}
