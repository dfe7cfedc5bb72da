import { describe, expect, test } from 'vitest';
import { CHECK_TIMEOUT_MS, type Files, plant } from './planted-tree.ts';

const PAGE = 'docs/replay.md';

function page(...lines: string[]): Files {
  return { [PAGE]: `${lines.join('\n')}\n` };
}

interface Fault {
  readonly rule: string;
  readonly files: Files;
  readonly problems: readonly string[];
}

const FAULTS: readonly Fault[] = [
  {
    rule: 'an example that does not compile',
    files: page(
      '# Replay',
      '',
      '```ts',
      "import { answer } from '@pyagent-trace/core';",
      '',
      'const text: string = answer();',
      '```',
    ),
    problems: [`${PAGE}:6: TS2322: Type 'number' is not assignable to type 'string'.`],
  },
  {
    rule: 'an example that imports what is not exported',
    files: page('```ts', "import { hidden } from '@pyagent-trace/core';", 'hidden();', '```'),
    problems: [
      `${PAGE}:2: TS2305: Module '"@pyagent-trace/core"' has no exported member 'hidden'.`,
    ],
  },
  {
    rule: 'an example that hides from the compiler',
    files: page('```ts ignore', 'const a: string = 1;', '```'),
    problems: [`${PAGE}:1: \`\`\`ts ignore: an example is plain \`\`\`ts, so that it is compiled`],
  },
  {
    rule: 'an example in JavaScript',
    files: page('```js', 'missing();', '```'),
    problems: [`${PAGE}:1: \`\`\`js: an example is plain \`\`\`ts, so that it is compiled`],
  },
  {
    rule: 'an output that is not what the example prints',
    files: page(
      '```ts',
      'console.log(42);',
      '```',
      '',
      '<!-- output -->',
      '',
      '```text',
      '43',
      '```',
    ),
    problems: [`${PAGE}:2: the output is not what the page says; it is`, '42'],
  },
  {
    rule: 'an output whose ids belong together differently',
    files: page(
      '```ts',
      "const id = '0123456789abcdef';",
      'console.log(id, id);',
      '```',
      '<!-- output -->',
      '```text',
      '0000000000000001 0000000000000002',
      '```',
    ),
    problems: [
      `${PAGE}:2: the output is not what the page says; it is`,
      '0123456789abcdef 0123456789abcdef',
    ],
  },
  {
    rule: 'a file that the example does not leave',
    files: page('```ts', 'export {};', '```', '<!-- output run.jsonl -->', '```jsonl', '{}', '```'),
    problems: [`${PAGE}:2: the example left no file run.jsonl`],
  },
  {
    rule: 'an output mark without an example',
    files: page('# Replay', '', '<!-- output -->', '', '```text', '42', '```'),
    problems: [`${PAGE}:3: no ts example stands before this`],
  },
  {
    rule: 'an output mark without an output',
    files: page('```ts', 'console.log(42);', '```', '<!-- output -->', '', '```sh', 'ls', '```'),
    problems: [`${PAGE}:4: a text, json or jsonl block must follow`],
  },
  {
    rule: 'a link to a file that is not there',
    files: page('See [the cost](cost.md) and [this](https://example.org/x.md).'),
    problems: [`${PAGE}:1: cost.md: no such file`],
  },
  {
    rule: 'a link to a heading that is not there',
    files: { ...page('See [it](cost.md#the-table).'), 'docs/cost.md': '# Cost\n\n## The tables\n' },
    problems: [`${PAGE}:1: cost.md#the-table: no such heading`],
  },
];

describe('check-docs', { timeout: CHECK_TIMEOUT_MS }, () => {
  test('accepts examples that compile, outputs that are real and links that lead somewhere', async () => {
    using tree = plant({
      ...page(
        '# Replay `run()` & rest',
        '',
        'See [above](#replay-run--rest), [core](../packages/core/README.md) and [src](../packages/core/src/).',
        '',
        '```ts',
        "import { answer } from '@pyagent-trace/core';",
        "import { writeFileSync } from 'node:fs';",
        '',
        'const at = Date.now() / 1000;',
        'console.log(answer(), at, `${performance.now()} ms`);',
        "writeFileSync('run.jsonl', `${JSON.stringify({ timestamp: at, duration_ms: at })}\\n`);",
        '```',
        '',
        '<!-- output -->',
        '',
        '```text',
        '42 1735689600.25 12.5 ms',
        '```',
        '',
        '```ts',
        "import { writeFileSync } from 'node:fs';",
        '',
        "writeFileSync('run.jsonl', '{\"a\":1}\\n');",
        '```',
        '',
        '<!-- output run.jsonl -->',
        '',
        '```jsonl',
        '{"a":1}',
        '```',
      ),
    });

    expect(await tree.check('check-docs')).toEqual({ status: 0, problems: [] });
  });

  test.for(FAULTS)('refuses $rule', async ({ files, problems }) => {
    using tree = plant(files);

    expect(await tree.check('check-docs')).toEqual({ status: 1, problems });
  });
});
