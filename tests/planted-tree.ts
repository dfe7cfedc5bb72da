// A repository in miniature that every check accepts, to plant one fault in.
import { execFileSync, spawn } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const REPO = fileURLToPath(new URL('..', import.meta.url));

/** Paths to texts, laid over the sound tree; `undefined` takes a file away. */
export type Files = Readonly<Record<string, string | undefined>>;

/** A check starts a compiler or a package manager, on a machine that runs other tests beside it. */
export const CHECK_TIMEOUT_MS = 60_000;

export interface CheckResult {
  readonly status: number | null;
  /** What the check wrote to stderr, one entry per line, without its closing line of counts. */
  readonly problems: readonly string[];
}

export interface PlantedTree extends Disposable {
  readonly root: string;
  /** Runs `tools/<check>.mjs` on the tree. */
  check(check: string, ...args: string[]): Promise<CheckResult>;
}

export function plant(files: Files = {}): PlantedTree {
  const root = mkdtempSync(join(tmpdir(), 'planted-'));
  execFileSync('git', ['init', '--quiet', root]);
  for (const [path, text] of Object.entries({ ...SOUND_TREE, ...files })) {
    if (text === undefined) continue;
    mkdirSync(dirname(join(root, path)), { recursive: true });
    writeFileSync(join(root, path), text);
  }
  cpSync(join(REPO, 'tsconfig.base.json'), join(root, 'tsconfig.base.json'));
  mkdirSync(join(root, 'node_modules'));
  symlinkSync(join(REPO, 'node_modules/@types'), join(root, 'node_modules/@types'), 'junction');
  return {
    root,
    check: (check, ...args) => run(join(REPO, 'tools', `${check}.mjs`), ['--root', root, ...args]),
    [Symbol.dispose]: () => rmSync(root, { recursive: true, force: true }),
  };
}

function run(script: string, args: readonly string[]): Promise<CheckResult> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [script, ...args], {
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    let output = '';
    child.stderr.setEncoding('utf8').on('data', (chunk: string) => (output += chunk));
    child.on('error', reject);
    child.on('close', (status) => {
      const problems = output.split('\n').filter((line) => line !== '');
      resolve({ status, problems: problems.slice(0, -1) });
    });
  });
}

interface Manifest {
  readonly name: string;
  readonly [key: string]: unknown;
}

/** The `package.json` of a sound package, with what is given laid over it. */
export function manifest(name: string, changes: object = {}): string {
  const built = { types: './dist/index.d.ts', default: './dist/index.js' };
  const sound: Manifest = {
    name: `@pyagent-trace/${name}`,
    version: '0.1.0',
    license: 'MIT',
    repository: {
      type: 'git',
      url: 'git+https://github.com/pyagent-trace/pyagent-trace-js.git',
      directory: `packages/${name}`,
    },
    files: ['dist', 'src', '!src/**/*.test.ts'],
    type: 'module',
    exports: { '.': { '@pyagent-trace/source': './src/index.ts', ...built } },
    publishConfig: { access: 'public', exports: { '.': built } },
    engines: { node: '>=22.15' },
    ...(name === 'core' ? {} : { dependencies: { '@pyagent-trace/core': 'workspace:^' } }),
  };
  return JSON.stringify({ ...sound, ...changes }, undefined, 2);
}

const SOUND_TREE: Files = {
  '.changeset/config.json': '{ "fixed": [], "linked": [] }',
  '.gitignore': 'node_modules\ndist\n.docs\n.artifacts\n',
  LICENSE: 'MIT\n',
  'README.md':
    '# planted\n\n[core](packages/core/README.md), [jsonl](packages/exporter-jsonl/README.md)\n',
  'package.json': '{ "name": "planted", "private": true, "type": "module" }',
  'pnpm-workspace.yaml': 'packages:\n  - packages/*\n',
  'packages/core/package.json': manifest('core'),
  'packages/core/README.md': '# core\n',
  'packages/core/tsconfig.json': '{}',
  'packages/core/tsconfig.build.json': '{}',
  'packages/core/src/index.ts': "export { answer } from './answer.ts';\n",
  'packages/core/src/answer.ts':
    '/** The answer. */\nexport function answer(): number {\n  return 42;\n}\n',
  'packages/core/src/clock.ts':
    'export function nowMs(): number {\n  return Date.now() + performance.now();\n}\n',
  'packages/core/dist/index.js': "export { answer } from './answer.js';\n",
  'packages/core/dist/index.d.ts': "export { answer } from './answer.ts';\n",
  'packages/core/dist/answer.js': 'export function answer() {\n  return 42;\n}\n',
  'packages/core/dist/answer.d.ts':
    '/** The answer. */\nexport declare function answer(): number;\nexport declare function hidden(): void;\n',
  'packages/exporter-jsonl/package.json': manifest('exporter-jsonl'),
  'packages/exporter-jsonl/README.md': '# jsonl\n',
  'packages/exporter-jsonl/tsconfig.json': '{}',
  'packages/exporter-jsonl/tsconfig.build.json': '{}',
  'packages/exporter-jsonl/src/index.ts': "export { answer } from '@pyagent-trace/core';\n",
  'packages/exporter-jsonl/dist/index.js': "export { answer } from '@pyagent-trace/core';\n",
  'packages/exporter-jsonl/dist/index.d.ts': "export { answer } from '@pyagent-trace/core';\n",
};
