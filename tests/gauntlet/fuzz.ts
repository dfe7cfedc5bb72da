// The readers, fed with damaged lines. Each has its own test, which takes the number of lines and a seed.
import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));

interface Reader {
  readonly name: string;
  /** Of vitest. */
  readonly project: string;
  readonly test: string;
}

/** One line for each reader of lines there is. */
const readers: readonly Reader[] = [
  { name: 'readTraceEvents', project: 'core', test: 'packages/core/src/read.fuzz.test.ts' },
];

export interface Fuzzed {
  readonly reader: string;
  readonly lines: number;
  readonly seed: number;
  readonly seconds: number;
  readonly problems: readonly string[];
}

export async function fuzz(lines: number, seed: number): Promise<Fuzzed[]> {
  const results: Fuzzed[] = [];
  for (const { name, project, test } of readers) {
    const startMs = performance.now();
    const problems = await problemsOf(project, test, { lines, seed });
    const seconds = (performance.now() - startMs) / 1_000;
    results.push({ reader: name, lines, seed, seconds, problems });
  }
  return results;
}

async function problemsOf(
  project: string,
  test: string,
  { lines, seed }: { readonly lines: number; readonly seed: number },
): Promise<string[]> {
  const env = { ...process.env, FUZZ_LINES: String(lines), FUZZ_SEED: String(seed) };
  try {
    await promisify(execFile)('pnpm', ['exec', 'vitest', 'run', '--project', project, test], {
      cwd: ROOT,
      env,
    });
    return [];
  } catch (error) {
    const { stdout = '', message } = error as Error & { readonly stdout?: string };
    return [`${message}\n${stdout}`];
  }
}
