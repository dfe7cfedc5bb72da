import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { listEntries, readColumn } from '../runtimes/table.ts';
import { runAsPage } from './browser.ts';
import { type Bundle, BUNDLERS } from './bundle.ts';

const HERE = fileURLToPath(new URL('.', import.meta.url));
const TIMEOUT_MS = 60_000;
/** Whatever a bundler puts in the place of a Node built-in. */
const NODE = /node:[a-z]|browser-external|\brequire\s*\(/;

describe.for(Object.entries(BUNDLERS))(
  'core in a page, by %s',
  { timeout: TIMEOUT_MS },
  ([, bundle]) => {
    test('runs without anything of Node', async () => {
      const code = await bundle(join(HERE, 'app.mjs'));

      expect(code).not.toMatch(NODE);
      expect(runAsPage(code)).toEqual({
        line: '{"timestamp":1,"event_type":"llm_call","agent_name":"","pattern_type":"","payload":{"trace_id":"<id>","span_id":"<id>","model":"m"}}',
        stats: { emitted: 2, accepted: 2, errors: 0 },
        isNow: true,
      });
    });

    test('leaves out what is not used', async () => {
      const [small, all] = await Promise.all(
        ['small.mjs', 'app.mjs'].map((file) => bundle(join(HERE, file))),
      );

      expect(runAsPage(small ?? '')).toBe(32);
      expect(small).not.toContain('subscriber_timeout');
      expect(gzipSync(small ?? '').length).toBeLessThan(gzipSync(all ?? '').length / 10);
    });
  },
);

describe('docs/runtimes.md', { timeout: TIMEOUT_MS }, () => {
  let folder: string;

  beforeAll(() => {
    folder = mkdtempSync(join(HERE, 'node_modules-'));
  });
  afterAll(() => rmSync(folder, { recursive: true }));

  const listed = readColumn('Browser');

  test.for(listEntries().filter((entry) => entry in listed))(
    'says of %s whether a browser can load it',
    async (entry) => {
      const file = join(folder, `${entry.split('/').slice(1).join('.')}.mjs`);
      writeFileSync(
        file,
        `import * as all from '${entry}';\nglobalThis.result = Object.keys(all).length;\n`,
      );

      expect(await isForBrowsers(file, BUNDLERS['esbuild'] as Bundle)).toBe(listed[entry]);
    },
  );
});

async function isForBrowsers(file: string, bundle: Bundle): Promise<string> {
  let code: string;
  try {
    code = await bundle(file);
  } catch (error) {
    if (!/Could not resolve "node:/.test(String(error))) throw error;
    return 'no';
  }
  return Number(runAsPage(code)) > 0 ? 'yes' : 'exports nothing';
}
