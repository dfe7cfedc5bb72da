import type { Subject } from '../harness/compare.ts';
import { ANSWER, QUESTION, repeated } from './triple.ts';

/** The functions themselves. */
export const bareAsync: Subject = bare(async () => debate(QUESTION));

export const bareSync: Subject = bare(() => ask(QUESTION));

function bare(triple: () => unknown): Subject {
  return {
    name: 'no tracing, the floor',
    start() {
      let asked = 0;
      return repeated(
        () => {
          asked += 1;
          return triple();
        },
        () => asked,
      );
    },
  };
}

async function debate(question: string): Promise<string> {
  return bull(question);
}

async function bull(question: string): Promise<string> {
  return call(question);
}

async function call(question: string): Promise<string> {
  await Promise.resolve();
  return ask(question);
}

function ask(question: string): string {
  return question === QUESTION ? ANSWER : '';
}
