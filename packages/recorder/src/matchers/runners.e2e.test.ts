import { execFile } from 'node:child_process';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  realpathSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, describe, expect, test } from 'vitest';

const require = createRequire(import.meta.url);
const PACKAGE = fileURLToPath(new URL('../..', import.meta.url));
const folder = realpathSync(mkdtempSync(join(tmpdir(), 'matchers-')));

afterAll(() => rmSync(folder, { recursive: true, force: true }));

interface Runner {
  readonly imports: string;
  readonly files: Readonly<Record<string, string>>;
  readonly command: readonly string[];
}

const RUNNERS: Readonly<Record<'vitest' | 'jest', Runner>> = {
  vitest: {
    imports: `import { expect, test } from 'vitest';\nimport '@pyagent-trace/recorder/vitest';`,
    files: {
      'vitest.config.mjs': `export default { ssr: { resolve: { conditions: ['@pyagent-trace/source', 'module', 'node', 'development|production'] } } };`,
    },
    command: [join(dirname(require.resolve('vitest/package.json')), 'vitest.mjs'), 'run'],
  },
  jest: {
    imports: `import { expect, test } from '@jest/globals';\nimport '@pyagent-trace/recorder/jest';`,
    files: {
      'jest.config.mjs': `export default {
  testMatch: ['**/*.test.mjs'],
  testEnvironmentOptions: { customExportConditions: ['@pyagent-trace/source', 'node', 'node-addons'] },
  extensionsToTreatAsEsm: ['.ts'],
  transform: { '\\\\.ts$': './strip-types.cjs' },
  haste: { enableSymlinks: false },
  watchman: false,
};`,
      'strip-types.cjs': `const { stripTypeScriptTypes } = require('node:module');
module.exports = { process: (code) => ({ code: stripTypeScriptTypes(code) }) };`,
    },
    command: [
      '--experimental-vm-modules',
      '--disable-warning=ExperimentalWarning',
      join(dirname(require.resolve('jest/package.json')), 'bin/jest.js'),
      '--runInBand',
    ],
  },
};

const TESTS = `
import { TraceEventBus } from '@pyagent-trace/core';
import { createTracer } from '@pyagent-trace/core/tracer';

const { WORD, OFFLINE } = process.env;
const debate = (word) => ({ tracer }) =>
  tracer.pattern('debate', () =>
    tracer.agent('bull', () =>
      tracer.llmCall({ model: 'm', messages_in: [{ role: 'user', content: 'Buy ' + word + '?' }] }, async () => {
        if (OFFLINE) throw new Error('the network was reached');
        return 'Buy ' + word + '.';
      }),
    ),
  );

test('same', async () => {
  await expect(debate('bonds')).toReplay('traces/same.jsonl');
});
test('changed', async () => {
  await expect(debate(WORD)).toReplay('traces/changed.jsonl');
});
test('compared', async () => {
  const bus = new TraceEventBus();
  const events = [];
  bus.subscribe((event) => events.push(event));
  await debate(WORD)({ tracer: createTracer(bus) }).catch(() => {});
  await expect(events).toMatchTrace('traces/compared.jsonl');
});
test('not', async () => {
  await expect(debate('oil')).not.toReplay('traces/same.jsonl');
});
`;

function project(name: 'vitest' | 'jest'): string {
  const { imports, files } = RUNNERS[name];
  const root = join(folder, name);
  mkdirSync(join(root, 'node_modules/@pyagent-trace'), { recursive: true });
  symlinkSync(PACKAGE, join(root, 'node_modules/@pyagent-trace/recorder'), 'junction');
  symlinkSync(join(PACKAGE, '../core'), join(root, 'node_modules/@pyagent-trace/core'), 'junction');
  symlinkSync(join(PACKAGE, 'node_modules', name), join(root, 'node_modules', name), 'junction');
  writeFileSync(join(root, 'package.json'), '{ "type": "module" }');
  writeFileSync(join(root, 'debate.test.mjs'), `${imports}\n${TESTS}`);
  for (const [file, text] of Object.entries(files)) writeFileSync(join(root, file), text);
  return root;
}

/** Of the runner's process. */
interface Outcome {
  readonly passed: boolean;
  readonly output: string;
}

function run(
  name: 'vitest' | 'jest',
  env: Readonly<Record<string, string>>,
  ...args: string[]
): Promise<Outcome> {
  const { PATH = '' } = process.env;
  return new Promise((resolve) => {
    execFile(
      process.execPath,
      [...RUNNERS[name].command, ...args],
      // nothing of the runner around this one, nor of a CI
      { cwd: join(folder, name), env: { PATH, NO_COLOR: '1', ...env }, timeout: 60_000 },
      (error, stdout, stderr) => resolve({ passed: error === null, output: stdout + stderr }),
    );
  });
}

describe.each(['vitest', 'jest'] as const)('the matchers in %s', (name) => {
  test('record, replay, fail and are updated', { timeout: 120_000 }, async () => {
    const root = project(name);
    const file = (path: string): string => join(root, 'traces', `${path}.jsonl`);
    const ci = name === 'jest' ? ['--ci'] : [];

    // outside of CI, files that are missing are written
    const first = await run(name, { WORD: 'gold' });
    expect(first.output).toContain('4 passed');
    expect(['same', 'changed', 'compared'].filter((path) => existsSync(file(path)))).toHaveLength(
      3,
    );
    expect(readFileSync(file('changed'), 'utf8')).toContain('Buy gold.');

    // in CI they are not, and what changed fails
    rmSync(file('compared'));
    const second = await run(name, { WORD: 'silver', CI: 'true', OFFLINE: '1' }, ...ci);
    expect(second.passed).toBe(false);
    expect(second.output).toContain('2 failed');
    expect(second.output).toContain('2 passed');
    expect(second.output).toContain('messages_in.0.content: Buy [-gold-]{+silver+}?');
    expect(second.output).toContain('If that is meant, run the tests with -u');
    expect(second.output).toContain('traces/compared.jsonl does not exist');
    expect(second.output).not.toContain('the network was reached');

    const third = await run(name, { WORD: 'silver' }, '-u');
    expect(third.output).toContain('4 passed');
    expect(readFileSync(file('changed'), 'utf8')).toContain('Buy silver.');
  });
});
