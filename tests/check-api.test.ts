import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { CHECK_TIMEOUT_MS, type Files, plant, type PlantedTree } from './planted-tree.ts';

const CORE_API = 'packages/core/api.d.ts';
const DECLARATIONS = 'packages/core/dist/answer.d.ts';

/** A tree whose API files were written before `files` were changed in it. */
async function plantAfterWriting(files: Files): Promise<PlantedTree> {
  using before = plant();
  await before.check('check-api', '--write');
  const written = ['core', 'exporter-jsonl'].map((name) => `packages/${name}/api.d.ts`);
  return plant({
    ...Object.fromEntries(
      written.map((path) => [path, readFileSync(join(before.root, path), 'utf8')]),
    ),
    ...files,
  });
}

describe('check-api', { timeout: CHECK_TIMEOUT_MS }, () => {
  test('writes what the entries export, and nothing else', async () => {
    using tree = plant();

    expect(await tree.check('check-api', '--write')).toEqual({ status: 0, problems: [] });
    expect(readFileSync(join(tree.root, CORE_API), 'utf8')).toBe(
      `// Written by pnpm check:api --write.

// @pyagent-trace/core exports
//   answer

// answer.d.ts
export declare function answer(): number;
`,
    );
  });

  test('accepts a change of comments, of order and of what is not exported', async () => {
    using tree = await plantAfterWriting({
      [DECLARATIONS]:
        'export declare function hidden(secret: string): void;\n/** Other words. */\nexport declare function answer(): number; // 42\n',
    });

    expect(await tree.check('check-api')).toEqual({ status: 0, problems: [] });
  });

  test('refuses a signature that changed', async () => {
    using tree = await plantAfterWriting({
      [DECLARATIONS]: 'export declare function answer(question: string): number;\n',
    });

    expect(await tree.check('check-api')).toEqual({
      status: 1,
      problems: [
        `${CORE_API}: not the API that was built; run pnpm check:api --write and review the difference`,
        '  - export declare function answer(): number;',
        '  + export declare function answer(question: string): number;',
      ],
    });
  });

  test('refuses a change of a type that a signature mentions', async () => {
    const mention =
      "import type { Level } from './level.ts';\nexport declare function answer(): Level;\n";
    using before = await plantAfterWriting({
      [DECLARATIONS]: mention,
      'packages/core/dist/level.d.ts': 'export type Level = 1 | 2;\n',
    });
    await before.check('check-api', '--write');
    using tree = await plantAfterWriting({
      [DECLARATIONS]: mention,
      'packages/core/dist/level.d.ts': 'export type Level = 1 | 2 | 3;\n',
      [CORE_API]: readFileSync(join(before.root, CORE_API), 'utf8'),
    });

    expect(await tree.check('check-api')).toEqual({
      status: 1,
      problems: [
        `${CORE_API}: not the API that was built; run pnpm check:api --write and review the difference`,
        '  - export type Level = 1 | 2;',
        '  + export type Level = 1 | 2 | 3;',
      ],
    });
  });

  test('refuses a package whose API was never written', async () => {
    using tree = await plantAfterWriting({ [CORE_API]: undefined });

    expect(await tree.check('check-api')).toEqual({
      status: 1,
      problems: [`${CORE_API}: missing; run pnpm check:api --write`],
    });
  });

  test('refuses a package that was not built', async () => {
    using tree = await plantAfterWriting({ [DECLARATIONS]: undefined });

    expect(await tree.check('check-api')).toEqual({
      status: 1,
      problems: ['packages/core: no dist/answer.d.ts; run pnpm build'],
    });
  });
});
