import { describe, expect, test } from 'vitest';
import { CHECK_TIMEOUT_MS, manifest, plant } from './planted-tree.ts';

// Packing, installing and loading take seconds, so the faults of one tarball are planted together.
describe('check-packages', { timeout: CHECK_TIMEOUT_MS }, () => {
  test('accepts sound tarballs', async () => {
    using tree = plant();

    expect(await tree.check('check-packages')).toEqual({ status: 0, problems: [] });
  });

  test('refuses what does not belong into a tarball, and what an import should not cost', async () => {
    const entry = { types: './dist/index.d.ts', default: './dist/index.js' };
    const noise = Array.from({ length: 9000 }, (_, n) => (n * 7919).toString(36)).join('');
    using tree = plant({
      'packages/core/README.md': undefined,
      'packages/core/package.json': manifest('core', {
        files: ['dist', 'src', 'api.d.ts'],
        scripts: { postinstall: 'node --version' },
        publishConfig: {
          access: 'public',
          provenance: true,
          exports: { '.': entry, './extra': entry },
        },
        exports: { '.': entry, './extra': entry },
      }),
      'packages/core/api.d.ts': '',
      'packages/core/src/answer.test.ts': '',
      'packages/core/dist/index.js': `import 'node:fs';\nexport { answer } from './answer.js';\nexport const noise = '${noise}';\n`,
      'packages/core/dist/index.d.ts':
        "export { answer } from './answer.ts';\nexport declare const noise: Nothing;\n",
      'packages/exporter-jsonl/dist/index.js':
        "console.log('loaded');\nexport { answer } from '@pyagent-trace/core';\n",
    });

    const { status, problems } = await tree.check('check-packages');

    expect(problems.map((line) => line.replace(/\d+ B gzipped/, 'N B gzipped'))).toEqual([
      '@pyagent-trace/core: the tarball has no README.md',
      '@pyagent-trace/core: the tarball has api.d.ts',
      '@pyagent-trace/core: the tarball has src/answer.test.ts',
      '@pyagent-trace/core: the tarball has a script "postinstall"',
      "await import('@pyagent-trace/exporter-jsonl'): failed or printed: loaded",
      "require('@pyagent-trace/exporter-jsonl'): failed or printed: loaded",
      "types, nodenext: node_modules/@pyagent-trace/core/dist/index.d.ts(2,29): error TS2304: Cannot find name 'Nothing'.",
      "types, bundler: node_modules/@pyagent-trace/core/dist/index.d.ts(2,29): error TS2304: Cannot find name 'Nothing'.",
      '@pyagent-trace/core: N B gzipped, over its ceiling of 8192 B',
      '@pyagent-trace/core: must not import node:fs',
      '@pyagent-trace/core/extra: N B gzipped; give it a ceiling in tools/packages/size.mjs',
    ]);
    expect(status).toBe(1);
  });

  test('refuses an entry without its declarations, in the words of both linters', async () => {
    using tree = plant({ 'packages/core/dist/index.d.ts': undefined });

    const { status, problems } = await tree.check('check-packages');

    expect(problems).toEqual(
      expect.arrayContaining([
        '1. pkg.exports["."].types is ./dist/index.d.ts but the file does not exist.',
        'node16 (from ESM): ❌ No types',
        '@pyagent-trace/core: "." leads to ./dist/index.d.ts, which is missing',
      ]),
    );
    expect(status).toBe(1);
  });
});
