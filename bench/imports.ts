// What does an import cost a program that starts, beside zod, which the main entry does without?
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import type { Comparison, Subject } from './harness.ts';

const run = promisify(execFile);

export const comparisons: readonly Comparison[] = [
  {
    title: 'importing, in a process of its own',
    per: 'import',
    iterations: 1,
    rounds: 9,
    subjects: [imported('@pyagent-trace/core'), imported('@pyagent-trace/core/tracer')],
    peer: imported('zod'),
    note: 'The built files of the packages, as an app loads them.',
  },
];

function imported(specifier: string): Subject {
  const program = `const start = performance.now();
    const names = Object.keys(await import('${specifier}')).length;
    console.log(names > 0 ? performance.now() - start : 'nothing imported');`;
  return {
    name: specifier,
    start() {
      let elapsedMs = 0;
      return {
        async round() {
          const { stdout } = await run(process.execPath, ['--input-type=module', '-e', program], {
            cwd: import.meta.dirname,
          });
          elapsedMs = Number(stdout);
          return elapsedMs > 0 ? 1 : 0;
        },
        elapsedMs: () => elapsedMs,
      };
    },
  };
}
