// How much each import costs, and what it must not bring along.
import { isBuiltin } from 'node:module';
import { isAbsolute, join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { rolldown } from 'rolldown';
import { CORE } from '../lib/repo.mjs';
import { packageOf } from '../lib/syntax.mjs';
import { entriesOf } from './tarball.mjs';

const KB = 1024;

/**
 * Gzipped bytes of each entry, minified, with its dependencies left out: what we add to an app, which
 * a dependency's release cannot change. A tracer is loaded by programs that do something else, so an
 * entry is no larger than what it stands for; a ceiling is raised in a commit that says why.
 */
const CEILINGS = {
  [CORE]: 8 * KB,
  [`${CORE}/schema`]: 8 * KB,
  [`${CORE}/read`]: 8 * KB,
  [`${CORE}/spans`]: 8 * KB,
  [`${CORE}/tracer`]: 8 * KB,
  [`${CORE}/process`]: 8 * KB,
  // all four together, and who imports one of them loads one: redact has 8 kB, of which half are the names
  // and forms of secrets and the look through data that is no event, and keepErrors 4.7 kB with the patterns
  // that events without ids belong to
  [`${CORE}/processors`]: 11.75 * KB,
  [`${CORE}/testing`]: 8 * KB,
  // the tracker, the answers of six providers and the budgets; who imports one of them loads one
  '@pyagent-trace/cost': 10.5 * KB,
  '@pyagent-trace/exporter-console': 4 * KB,
  // 4 kB, and the sentence about what is lost at exit
  '@pyagent-trace/exporter-jsonl': 4.25 * KB,
  '@pyagent-trace/exporter-langfuse': 12 * KB,
  '@pyagent-trace/exporter-otel': 12 * KB,
  // recorder, replayer, comparison and cassettes; who imports one of them loads one
  '@pyagent-trace/recorder': 28 * KB,
  // all but the cassettes, for tests alone
  '@pyagent-trace/recorder/jest': 22 * KB,
  '@pyagent-trace/recorder/vitest': 22 * KB,
};

/** Every program that only emits loads this entry: no zod (48 ms), and any JavaScript runtime. */
const MUST_NOT_APPEAR = {
  [CORE]: (specifier) => isBuiltin(specifier) || packageOf(specifier) === 'zod',
};

export async function sizeProblems(dir) {
  const problems = [];
  for (const [specifier, file] of entriesOf(dir)) {
    const { bytes, imports } = await bundle(join(dir, file));
    const ceiling = CEILINGS[specifier];
    if (ceiling === undefined)
      problems.push(
        `${specifier}: ${bytes} B gzipped; give it a ceiling in tools/packages/size.mjs`,
      );
    else if (bytes > ceiling)
      problems.push(`${specifier}: ${bytes} B gzipped, over its ceiling of ${ceiling} B`);
    else console.log(`${specifier}: ${bytes} B of ${ceiling} B`);
    for (const name of imports)
      if (MUST_NOT_APPEAR[specifier]?.(name))
        problems.push(`${specifier}: must not import ${name}`);
  }
  return problems;
}

async function bundle(input) {
  const build = await rolldown({
    input,
    external: isForeign,
    platform: 'neutral',
    logLevel: 'silent',
  });
  const { output } = await build.generate({ format: 'es', minify: true });
  await build.close();
  const code = output.map((chunk) => chunk.code ?? '').join('\n');
  return { bytes: gzipSync(code).length, imports: output.flatMap((chunk) => chunk.imports ?? []) };
}

function isForeign(id) {
  return !id.startsWith('.') && !isAbsolute(id);
}
