// What a page says an example prints is what it prints.
import { execFile } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PLAIN_ENV } from '../lib/run.mjs';
import { fileOf } from './compile.mjs';

const TIMEOUT_MS = 20_000;

export async function outputProblems(folder, examples) {
  const problems = [];
  for (const example of examples.filter(({ expected }) => expected !== undefined)) {
    const directory = mkdtempSync(join(tmpdir(), 'docs-'));
    try {
      const place = `${example.path}:${example.line}`;
      const run = await runExample(join(folder, fileOf(example)), directory);
      if (run.error) problems.push(`${place}: the example failed: ${run.error.message.trim()}`);
      else problems.push(...compare(place, example, directory, run.stdout));
    } finally {
      rmSync(directory, { recursive: true, force: true });
    }
  }
  return problems;
}

function* compare(place, { expected, file }, directory, stdout) {
  let actual = stdout;
  if (file !== undefined) {
    try {
      actual = readFileSync(join(directory, file), 'utf8');
    } catch {
      yield `${place}: the example left no file ${file}`;
      return;
    }
  }
  if (normalise(actual) !== normalise(expected))
    yield `${place}: ${file ?? 'the output'} is not what the page says; it is\n${actual}`;
}

/** In an empty directory, with the sources of the packages and without a terminal. */
function runExample(path, cwd) {
  return new Promise((resolve) => {
    const args = ['--conditions=@pyagent-trace/source', path];
    // as on the machine of who tries it: in CI a replay records nothing
    const env = { ...PLAIN_ENV, CI: undefined };
    const options = { cwd, env, timeout: TIMEOUT_MS };
    const child = execFile(process.execPath, args, options, (error, stdout) =>
      resolve({ error, stdout }),
    );
    child.stdin.end();
  });
}

/**
 * Takes out what differs from run to run. Ids are numbered in order of appearance, so that an output
 * in which a child names the wrong parent is not taken for the right one.
 */
export function normalise(text) {
  const ids = new Map();
  return text
    .trimEnd()
    .replaceAll(/\b(?:[0-9a-f]{32}|[0-9a-f]{16})\b/g, (id) => {
      if (!ids.has(id)) ids.set(id, `<id ${ids.size + 1}>`);
      return ids.get(id);
    })
    .replaceAll(/\b\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|[+-]\d\d:?\d\d)?/g, '<time>')
    .replaceAll(/\b\d\d:\d\d:\d\d(?:\.\d+)?\b/g, '<time>')
    .replaceAll(/\b1\d{9}(?:\.\d+)?\b/g, '<seconds>')
    .replaceAll(/("\w+_(?:ms|seconds)"\s*:\s*)-?\d[\d.e+-]*/g, '$1<duration>')
    .replaceAll(/\b\d+(?:\.\d+)?\s?(?:µs|ms|s|min)\b/g, '<duration>');
}
