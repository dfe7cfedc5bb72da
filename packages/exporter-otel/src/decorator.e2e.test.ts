import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';

const run = promisify(execFile);
const root = fileURLToPath(new URL('..', import.meta.url));
const fixture = join(root, 'fixtures', 'decorated.ts');
const tsc = join(root, '../../node_modules/typescript/bin/tsc');

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'decorated-'));
  // what the compiled fixture imports, found from where it runs
  const modules = join(folder, 'node_modules');
  await mkdir(join(modules, '@pyagent-trace'), { recursive: true });
  await symlink(
    join(root, 'node_modules/@opentelemetry'),
    join(modules, '@opentelemetry'),
    'junction',
  );
  await symlink(root, join(modules, '@pyagent-trace/exporter-otel'), 'junction');
});
afterAll(() => rm(folder, { recursive: true, force: true }));

async function compile(name: string, compilerOptions: object): Promise<void> {
  const project = join(folder, `${name}.json`);
  await writeFile(
    project,
    JSON.stringify({
      extends: join(root, '../../tsconfig.base.json'),
      compilerOptions: {
        types: ['node'],
        typeRoots: [join(root, '../../node_modules/@types')],
        ...compilerOptions,
      },
      files: [fixture],
    }),
  );
  await run(process.execPath, [tsc, '-p', project]);
}

describe('tracedPattern as a decorator', () => {
  test.each([
    ['standard', false],
    ['experimental', true],
  ])(
    'traces a class with %s decorators, which stays what it was',
    async (name, experimentalDecorators) => {
      // its types, then its code: only this file is compiled, what it imports is there already
      await compile(`${name}-types`, { experimentalDecorators, noEmit: true });
      const outDir = join(folder, name);
      const emit = { noCheck: true, noResolve: true, rootDir: dirname(fixture), outDir };
      await compile(name, { experimentalDecorators, ...emit });
      await writeFile(join(outDir, 'package.json'), '{"type":"module"}');

      const { stdout } = await run(process.execPath, [
        '--conditions=@pyagent-trace/source',
        join(outDir, 'decorated.js'),
      ]);

      expect(JSON.parse(stdout)).toEqual({
        output: 'AAPL? Buy.!',
        thrown: 'RangeError: no quorum',
        class: ['Debate', 1, ['debate'], true],
        prototype: [['pattern_type'], true, 1],
        spans: [
          ['pyagent.pattern.debate', 'pyagent.agent.bull', 1, null],
          [null, 'pyagent.pattern.debate', 1, 12],
          [null, 'pyagent.pattern.Vote', 2, null],
        ],
      });
    },
    60_000,
  );
});
