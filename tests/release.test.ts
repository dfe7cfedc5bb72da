import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';

type Check = (...args: readonly unknown[]) => Iterable<string>;
// plain JavaScript, without types
const checks = new URL('../tools/release/checks.mjs', import.meta.url).href;
const { manifestProblems, versionProblems } = (await import(checks)) as Readonly<
  Record<'manifestProblems' | 'versionProblems', Check>
>;

const CORE = '@pyagent-trace/core';
const JSONL = '@pyagent-trace/exporter-jsonl';
const versions = new Map([
  [CORE, '0.2.0'],
  [JSONL, '0.1.3'],
]);
const sound = {
  name: JSONL,
  version: '0.1.3',
  license: 'MIT',
  repository: { type: 'git', url: 'git+https://github.com/pyagent-trace/pyagent-trace-js.git' },
  publishConfig: { access: 'public', provenance: true },
  dependencies: { [CORE]: '^0.2.0' },
};

describe('manifestProblems', () => {
  test.for([
    ['nothing', {}, undefined],
    ['another version', { version: '0.1.2' }, 'the registry has 0.1.2, the tree 0.1.3'],
    [
      'no provenance',
      { publishConfig: { access: 'public' } },
      'publishConfig.provenance is not true',
    ],
    ['no license', { license: undefined }, 'license is not MIT'],
    ['no repository', { repository: undefined }, 'repository.url is no address'],
    [
      'an older core',
      { dependencies: { [CORE]: '^0.1.0' } },
      `depends on ${CORE} ^0.1.0, expected ^0.2.0`,
    ],
  ] as const)('finds %s wrong', ([, change, problem]) => {
    const problems = [...manifestProblems({ ...sound, ...change }, versions)];

    expect(problems).toEqual(problem === undefined ? [] : [`${JSONL}: ${problem}`]);
  });
});

describe('versionProblems', () => {
  let clone: string;
  const packages = [{ dir: 'packages/exporter-jsonl', manifest: sound }];
  const releases = [{ name: JSONL, newVersion: '0.1.3', changesets: ['torn'] }];
  const summaries = new Map([['torn', 'A torn line is kept.\n\nMore of it.']]);

  beforeEach(() => {
    clone = mkdtempSync(join(tmpdir(), 'release-'));
    mkdirSync(join(clone, 'packages/exporter-jsonl'), { recursive: true });
  });
  afterEach(() => rmSync(clone, { recursive: true }));

  const check = (changelog: string, planned = releases): readonly string[] => {
    writeFileSync(join(clone, 'packages/exporter-jsonl/CHANGELOG.md'), changelog);
    return [...versionProblems(clone, packages, planned, summaries)];
  };

  test('accepts a changelog that says what the changesets say', () => {
    expect(check(`# ${JSONL}\n\n## 0.1.3\n\n- 1a2b3c4: A torn line is kept.\n`)).toEqual([]);
  });

  test('finds a version without a section, and a changeset that the section leaves out', () => {
    expect(check(`# ${JSONL}\n\n## 0.1.2\n\n- A torn line is kept.\n`)).toEqual([
      `${JSONL}: CHANGELOG.md has no section "0.1.3"`,
      `${JSONL}: the changelog of 0.1.3 does not say "A torn line is kept."`,
    ]);
  });

  test('finds a version that nobody asked for', () => {
    const planned = [{ name: JSONL, newVersion: '0.2.0', changesets: [] }];

    expect(check(`# ${JSONL}\n\n## 0.1.3\n\n`, planned)).toEqual([
      `${JSONL}: is 0.1.3, the changesets ask for 0.2.0`,
    ]);
  });
});
