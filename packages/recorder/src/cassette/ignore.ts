/** Ids that tie the parts of one conversation together: a random one asks nothing else. */
export const IGNORED_IDS: readonly string[] = [
  'body.messages.*.tool_call_id',
  'body.messages.*.tool_calls.*.id',
  'body.messages.*.content.*.id',
  'body.messages.*.content.*.tool_use_id',
  'body.input.*.id',
  'body.input.*.call_id',
];

/** Plain data without what stands at some places, such as `messages.*.id`. Shares the rest. */
export function without<T>(value: T, paths: readonly string[]): T {
  return paths.reduce<unknown>((data, path) => drop(data, path.split('.')), value) as T;
}

function drop(value: unknown, [key, ...below]: readonly string[]): unknown {
  if (typeof value !== 'object' || value === null || key === undefined) return value;
  const keys = key === '*' ? Object.keys(value) : Object.hasOwn(value, key) ? [key] : [];
  if (keys.length === 0) return value;
  const copy = (Array.isArray(value) ? [...value] : { ...value }) as Record<string, unknown>;
  for (const name of keys)
    if (below.length > 0) copy[name] = drop(copy[name], below);
    else delete copy[name]; // of a list an empty place is left
  return copy;
}
