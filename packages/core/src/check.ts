// Configuring fails at once, with place, problem and value. By hand, since the main entry has no zod.
import { TraceError } from './errors.ts';
import { describe, isObject } from './event.ts';

export function invalidOption(message: string): TraceError {
  return new TraceError('invalid_option', message);
}

export function requireFunction(value: unknown, place: string): void {
  if (typeof value !== 'function')
    throw invalidOption(`${place}: expected a function, got ${describe(value)}`);
}

export function requireFunctions(value: unknown, place: string): void {
  if (!Array.isArray(value))
    throw invalidOption(`${place}: expected an array of functions, got ${describe(value)}`);
  for (const [index, item] of value.entries()) requireFunction(item, `${place}[${index}]`);
}

export function requireBoolean(value: unknown, place: string): void {
  if (typeof value !== 'boolean')
    throw invalidOption(`${place}: expected true or false, got ${describe(value)}`);
}

export function requireKnownKeys(options: object, known: readonly string[], place: string): void {
  if (!isObject(options))
    throw invalidOption(`${place}: expected an object of options, got ${describe(options)}`);
  for (const key of Object.keys(options))
    if (!known.includes(key))
      throw invalidOption(`${place}: unknown option "${key}"; known are ${known.join(', ')}`);
}
