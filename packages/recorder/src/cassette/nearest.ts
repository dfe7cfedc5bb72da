import { type Difference, findDifferences } from '../difference.ts';

/** How much would have to be changed to make one of the other, in characters. */
export function distance(
  expected: unknown,
  actual: unknown,
  ignore: readonly string[],
): { readonly differences: readonly Difference[]; readonly size: number } {
  const differences = findDifferences(expected, actual, ignore);
  const size = differences.reduce(
    (sum, difference) => sum + changed(textOf(difference.expected), textOf(difference.actual)),
    0,
  );
  return { differences, size };
}

function textOf(value: unknown): string {
  return typeof value === 'string' ? value : (JSON.stringify(value) ?? '');
}

/** Characters between what is equal at both ends, and one for the change. */
function changed(a: string, b: string): number {
  const longest = Math.min(a.length, b.length);
  let start = 0;
  while (start < longest && a[start] === b[start]) start += 1;
  let end = 0;
  while (end < longest - start && a.at(-1 - end) === b.at(-1 - end)) end += 1;
  return 1 + Math.max(a.length, b.length) - start - end;
}
