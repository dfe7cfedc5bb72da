import { define } from '../plain.ts';
import { marker } from './text-rules.ts';

/** Plain data with a marker at a place; `*` is any key or index. The same value, if the place is empty. */
export function redactPath(value: unknown, [key, ...below]: readonly string[]): unknown {
  if (value === null || value === undefined) return value;
  if (key === undefined) return marker('path');
  if (typeof value !== 'object') return value;
  const values = value as Readonly<Record<string, unknown>>;
  let copy: Record<string, unknown> | undefined;
  for (const found of key === '*' ? Object.keys(values) : [key]) {
    if (!Object.hasOwn(values, found)) continue;
    const item = values[found];
    const next = redactPath(item, below);
    if (Object.is(next, item)) continue;
    copy ??= (Array.isArray(value) ? [...value] : { ...value }) as Record<string, unknown>;
    define(copy, found, next);
  }
  return copy ?? value;
}
