// Turns anything into JSON data. Bounds keep one hostile value from stalling the app:
// JSON.stringify takes 5.8 s for a Uint8Array of 10 MB and 10 s for 25 nested pairs of one object.

/** Levels of nesting that are kept. Readers of JSON often stop at 200. */
export const MAX_DEPTH = 128;
/** Values of one event that are kept. */
export const MAX_VALUES = 200_000;
/** Characters of all strings and keys of one event that are kept; a longer string is cut. */
export const MAX_CHARACTERS = 8 * 1024 * 1024;
/** Characters of a key that is made of an object. */
const MAX_NAME_CHARACTERS = 1_000;

interface Budget {
  values: number;
  characters: number;
}

const scan: Budget = { values: 0, characters: 0 };

/**
 * Whether JSON.stringify writes a value whole and at once: plain objects and arrays of strings,
 * numbers, booleans and null, within the bounds. Throws what a getter or a proxy throws.
 */
export function isPlainData(value: unknown): boolean {
  scan.values = MAX_VALUES;
  scan.characters = MAX_CHARACTERS;
  return isPlain(value, 0);
}

function isPlain(value: unknown, depth: number): boolean {
  switch (typeof value) {
    case 'string':
      return (scan.characters -= value.length) >= 0;
    case 'number':
    case 'boolean':
    case 'undefined': // dropped from an object, null in an array
      return true;
    case 'object':
      return value === null || (depth < MAX_DEPTH && isPlainObject(value, depth + 1));
    default:
      return false;
  }
}

// Most values are strings and numbers: to look at them here saves a call for each, a third of the time.
function isPlainObject(value: object, depth: number): boolean {
  if (Array.isArray(value)) {
    if ((scan.values -= value.length) < 0) return false;
    for (let i = 0; i < value.length; i++) {
      const item: unknown = value[i];
      if (typeof item === 'string') scan.characters -= item.length;
      else if (typeof item !== 'number' && !isPlain(item, depth)) return false;
    }
    return scan.characters >= 0;
  }
  const prototype: unknown = Object.getPrototypeOf(value);
  if (prototype !== Object.prototype && prototype !== null) return false;
  for (const key in value) {
    scan.characters -= key.length;
    if (--scan.values < 0) return false;
    const item = (value as Record<string, unknown>)[key];
    if (typeof item === 'string') scan.characters -= item.length;
    else if (typeof item !== 'number' && !isPlain(item, depth)) return false;
  }
  return scan.characters >= 0;
}

/**
 * A copy of a value as JSON data: what JSON cannot say becomes something readable, what is over the
 * bounds becomes a marker that starts with `[Truncated`. Never throws.
 *
 * BigInt: decimal digits. Date: ISO 8601. Map: object. Set: array. Error: name, message, stack, cause,
 * errors and own keys. NaN and Infinity: null. Bytes, functions, symbols, cycles: a word in brackets.
 */
export function toPlainData(value: unknown): unknown {
  try {
    // nearly every payload; two looks at it cost less than one that is ready for anything
    if (typeof value === 'object' && value !== null && isPlainData(value)) return clone(value);
  } catch {
    // a getter or a proxy
  }
  return copy(value, [], { values: MAX_VALUES, characters: MAX_CHARACTERS });
}

/** A copy of plain data. A spread takes a third of what it takes to set key by key. */
function clone(value: object): unknown {
  if (Array.isArray(value)) {
    const items: unknown[] = [];
    for (let i = 0; i < value.length; i++) items.push(cloneValue(value[i]) ?? null);
    return items;
  }
  const result = { ...value } as Record<PropertyKey, unknown>;
  for (const key of Object.getOwnPropertySymbols(result)) delete result[key];
  for (const key in result) {
    const item = result[key];
    if (typeof item === 'string') continue;
    const plain = cloneValue(item);
    if (plain === undefined) delete result[key]; // as JSON.stringify leaves it out
    else if (plain !== item) result[key] = plain;
  }
  return result;
}

function cloneValue(item: unknown): unknown {
  if (typeof item === 'string') return item;
  if (typeof item === 'object' && item !== null) return clone(item);
  return copy(item, [], scan); // of a getter that gave plain data the first time, anything
}

function copy(value: unknown, ancestors: object[], budget: Budget): unknown {
  switch (typeof value) {
    case 'string':
      return cut(value, budget);
    case 'number':
      return Number.isFinite(value) ? value : null;
    case 'bigint':
      return cut(value.toString(), budget);
    case 'symbol':
      return cut(`[${String(value)}]`, budget);
    case 'object':
    case 'function':
      break;
    default:
      return value;
  }
  if (value === null) return null;
  if (ancestors.includes(value)) return '[Circular]';
  if (ancestors.length >= MAX_DEPTH) return '[Truncated: nested too deep]';
  ancestors.push(value);
  try {
    return copyObject(value, ancestors, budget);
  } catch {
    return '[Unserializable]'; // a revoked proxy, a toJSON that throws
  } finally {
    ancestors.pop();
  }
}

function copyObject(value: object, ancestors: object[], budget: Budget): unknown {
  if (typeof value === 'function') return cut(`[Function ${value.name || 'anonymous'}]`, budget);
  if (Array.isArray(value))
    return copyItems(Array.prototype.values.call(value), value.length, ancestors, budget);
  // nearly every object, and the tests below cost more than the copy
  const prototype: unknown = Object.getPrototypeOf(value);
  if (prototype === Object.prototype && !('toJSON' in value))
    return copyOwn(value, ancestors, budget);
  if (ArrayBuffer.isView(value) || value instanceof ArrayBuffer)
    return cut(`[${value.constructor.name} ${value.byteLength} bytes]`, budget);
  // by tag, so that values of another realm (a vm, a frame) are known too
  switch (Object.prototype.toString.call(value)) {
    case '[object Date]':
      return Number.isNaN(Date.prototype.getTime.call(value))
        ? 'Invalid Date'
        : Date.prototype.toISOString.call(value);
    case '[object Map]':
      return copyEntries(Map.prototype.entries.call(value), ancestors, budget);
    case '[object Set]': {
      const set = value as Set<unknown>;
      return copyItems(Set.prototype.values.call(set), set.size, ancestors, budget);
    }
    case '[object Error]':
      return copyEntries(errorEntries(value), ancestors, budget);
    case '[object RegExp]':
      return cut(RegExp.prototype.toString.call(value), budget);
    case '[object String]':
    case '[object Boolean]':
    case '[object Number]':
    case '[object BigInt]':
      return copy(value.valueOf(), ancestors, budget);
    case '[object Promise]':
    case '[object WeakMap]':
    case '[object WeakSet]':
    case '[object WeakRef]':
      return Object.prototype.toString.call(value);
    default:
  }
  if ('toJSON' in value && typeof value.toJSON === 'function') {
    const json = (value as { toJSON(): unknown }).toJSON();
    if (json !== value) return copy(json, ancestors, budget);
  }
  return copyOwn(value, ancestors, budget);
}

function copyItems(
  items: Iterable<unknown>,
  size: number,
  ancestors: object[],
  budget: Budget,
): unknown[] {
  const result: unknown[] = [];
  for (const item of items) {
    if (--budget.values < 0) {
      result.push(`[Truncated: ${size - result.length} more items]`);
      break;
    }
    result.push(copy(item, ancestors, budget) ?? null);
  }
  return result;
}

function copyEntries(
  entries: Iterable<[unknown, unknown]>,
  ancestors: object[],
  budget: Budget,
): Record<string, unknown> {
  const result: Record<string, unknown> = {};
  for (const [key, value] of entries) {
    const name = typeof key === 'string' ? key : nameOf(key, ancestors, budget);
    if (!copyEntry(result, name, value, ancestors, budget)) break;
  }
  return result;
}

function copyOwn(value: object, ancestors: object[], budget: Budget): Record<string, unknown> {
  const result: Record<string, unknown> = {};
  for (const key of Object.keys(value))
    if (!copyEntry(result, key, read(value, key), ancestors, budget)) break;
  return result;
}

/** Whether there was room for it. */
function copyEntry(
  result: Record<string, unknown>,
  key: string,
  value: unknown,
  ancestors: object[],
  budget: Budget,
): boolean {
  if (--budget.values < 0 || budget.characters <= 0) {
    result['[Truncated]'] = 'more keys';
    return false;
  }
  const name = cut(key, budget);
  const plain = copy(value, ancestors, budget);
  // as JSON.stringify leaves it out
  if (plain !== undefined) define(result, name, plain);
  return true;
}

/** Sets a key: an assignment to `__proto__` would set the prototype. */
export function define(target: Record<string, unknown>, key: string, value: unknown): void {
  if (key === '__proto__')
    Object.defineProperty(target, key, {
      value,
      enumerable: true,
      writable: true,
      configurable: true,
    });
  else target[key] = value;
}

/** A Map's key as an object's key. A key within a key within a key doubles its escapes each time. */
function nameOf(key: unknown, ancestors: object[], budget: Budget): string {
  const plain = copy(key, ancestors, budget);
  const name = typeof plain === 'string' ? plain : (JSON.stringify(plain) ?? 'undefined');
  return cut(name, { values: 0, characters: MAX_NAME_CHARACTERS });
}

function read(value: object, key: string): unknown {
  try {
    return (value as Record<string, unknown>)[key];
  } catch {
    return '[Getter threw]';
  }
}

/** Of an error also what is not enumerable. */
const ERROR_KEYS: readonly string[] = ['name', 'message', 'stack', 'cause', 'errors'];

function* errorEntries(error: object): Iterable<[string, unknown]> {
  for (const key of ERROR_KEYS) {
    const item = read(error, key);
    if (item !== undefined) yield [key, item];
  }
  for (const key of Object.keys(error))
    if (!ERROR_KEYS.includes(key)) yield [key, read(error, key)];
}

/** Cuts on code points: half a surrogate pair is no character. */
function cut(text: string, budget: Budget): string {
  if (text.length <= budget.characters) {
    budget.characters -= text.length;
    return text;
  }
  let end = Math.max(0, budget.characters);
  budget.characters = 0;
  const last = text.charCodeAt(end - 1);
  if (end > 0 && last >= 0xd800 && last <= 0xdbff) end -= 1;
  return `${text.slice(0, end)}[Truncated: ${text.length - end} more characters]`;
}
