// An app that has nothing but the tarballs: every entry is imported, required and type-checked.
import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { run, runTool } from '../lib/run.mjs';
import { loadableEntriesOf } from './tarball.mjs';

const NODE_TYPES = fileURLToPath(new URL('../../node_modules/@types/node', import.meta.url));
/** The two ways in which an app resolves types: as Node does, and as a bundler does. */
const RESOLUTIONS = [
  { module: 'nodenext', moduleResolution: 'nodenext' },
  { module: 'esnext', moduleResolution: 'bundler' },
];

export async function consumerProblems(app, installed) {
  const specifiers = installed.flatMap((dir) =>
    loadableEntriesOf(dir).map(([specifier]) => specifier),
  );
  return [...(await loadProblems(app, specifiers)), ...(await typeProblems(app, specifiers))];
}

async function loadProblems(app, specifiers) {
  const problems = [];
  for (const specifier of specifiers)
    for (const [type, code] of [
      ['module', `await import('${specifier}')`],
      ['commonjs', `require('${specifier}')`],
    ]) {
      const args = [`--input-type=${type}`, '--eval', code];
      const { status, output } = await run(process.execPath, args, app);
      // loading a library does nothing that can be seen
      if (status !== 0 || output !== '') problems.push(`${code}: failed or printed: ${output}`);
    }
  return problems;
}

async function typeProblems(app, specifiers) {
  mkdirSync(join(app, 'node_modules/@types'), { recursive: true });
  symlinkSync(NODE_TYPES, join(app, 'node_modules/@types/node'), 'junction');
  const lines = specifiers.map(
    (specifier, n) => `import * as m${n} from '${specifier}';\nvoid m${n};`,
  );
  writeFileSync(join(app, 'consumer.mts'), `${lines.join('\n')}\n`);
  const problems = [];
  for (const resolution of RESOLUTIONS) {
    const compilerOptions = {
      ...resolution,
      target: 'es2022',
      types: ['node'],
      strict: true,
      skipLibCheck: false,
      noEmit: true,
    };
    const project = join(app, 'tsconfig.json');
    writeFileSync(project, JSON.stringify({ compilerOptions, files: ['consumer.mts'] }));
    const { status, output } = await runTool(
      'typescript',
      'tsc',
      ['-p', project],
      dirname(project),
    );
    if (status !== 0) problems.push(`types, ${resolution.moduleResolution}: ${output.trim()}`);
  }
  return problems;
}
