// What does an import cost a program that starts?
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { comparing, type Comparison, type Goal, type Subject } from './harness/compare.ts';
import { type Entry, OURS, PEERS } from './harness/entries.ts';
import type { Measurement } from './harness/table.ts';

const run = promisify(execFile);

const GOALS: Readonly<Record<string, Goal>> = {
  '@pyagent-trace/core': {
    ms: 10,
    remains: 'It is made of 18 modules; bundled into one file they take a quarter of the time.',
  },
};
const OTEL = 'OpenTelemetry';

const TITLE = 'importing, in a process of its own';

export const measurements: readonly Measurement[] = [
  {
    title: TITLE,
    async measure(scale) {
      const others = PEERS.filter((entry) => !isOtel(entry));
      const entries =
        scale === 'full' ? [...OURS, ...others] : [...OURS.slice(0, 1), ...others.slice(0, 1)];
      const [measurement] = comparing(comparison(entries));
      return (measurement as Measurement).measure(scale);
    },
  },
];

function comparison(entries: readonly Entry[]): Comparison {
  return {
    title: TITLE,
    per: 'import',
    iterations: 1,
    rounds: 7,
    subjects: entries.map(imported),
    peer: PEERS.filter(isOtel).map(imported)[0] as Subject,
    note:
      'The built files, as an app loads them, with their dependencies, from a disk cache that is warm. ' +
      'Time runs inside of the process, around the imports alone.',
  };
}

function isOtel({ name }: Entry): boolean {
  return name.startsWith(OTEL);
}

function imported({ name, modules }: Entry): Subject {
  const program = `const start = performance.now();
    let names = 0;
    for (const specifier of ${JSON.stringify(Object.keys(modules))})
      names += Object.keys(await import(specifier)).length;
    const elapsedMs = performance.now() - start;
    console.log(names > 0 ? elapsedMs : 'nothing imported');
    process.exit();`;
  return {
    name,
    goal: GOALS[name],
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
