// A test that prints hides a warning nobody reads: printing fails it. A test that means to print
// replaces the method with vi.spyOn for its own duration.
import { afterEach, beforeEach } from 'vitest';

const METHODS = ['log', 'info', 'warn', 'error', 'debug'] as const;
const originals = new Map(METHODS.map((method) => [method, console[method]]));
let printed: string[] = [];

beforeEach(() => {
  printed = [];
  for (const method of METHODS)
    console[method] = (...args: unknown[]): void =>
      void printed.push(`${method}: ${args.join(' ')}`);
});

afterEach(() => {
  for (const [method, original] of originals) console[method] = original;
  if (printed.length > 0)
    throw new Error(`the test printed to the console:\n${printed.join('\n')}`);
});
