import { describe, expect, test } from 'vitest';
import * as z from 'zod';
import { TraceError } from '../errors.ts';
import { objectWith, parseOptions } from './options.ts';

const Schema = z.strictObject({
  width: z.int().min(40).default(100),
  format: z.enum(['line', 'pretty']).optional(),
  color: z.boolean().optional(),
  key: z.string({ error: 'expected a key' }).regex(/^k/).optional(),
  rotate: z
    .strictObject({ maxBytes: z.number().optional(), everyMs: z.number().optional() })
    .optional(),
});

describe('parseOptions', () => {
  test('gives the options with their defaults', () => {
    expect(parseOptions(Schema, { color: true }, 'Printer')).toEqual({ width: 100, color: true });
  });

  test.for<[unknown, string]>([
    [{ width: 39 }, 'width: Too small: expected number to be >=40, got 39'],
    [{ width: 40.5 }, 'width: expected int, got 40.5'],
    [{ color: 'red' }, 'color: expected boolean, got a string'],
    [{ format: 'json' }, 'format: Invalid option: expected one of "line"|"pretty", got "json"'],
    [{ format: 7 }, 'format: Invalid option: expected one of "line"|"pretty", got 7'],
    // a value that may be a secret is not shown
    [{ key: 'secret' }, 'key: expected a key, got a string'],
    [{ key: null }, 'key: expected a key, got null'],
    [{ widht: 80 }, 'unknown option "widht"; known are width, format, color, key, rotate'],
    [
      { rotate: { max: 1, x: 2 } },
      'rotate: unknown option "max", "x"; known are maxBytes, everyMs',
    ],
    [7, 'expected object, got 7'],
    [
      { width: 1, color: 1 },
      'width: Too small: expected number to be >=40, got 1; color: expected boolean, got 1',
    ],
  ])('refuses %j', ([options, problem]) => {
    expect(() => parseOptions(Schema, options, 'Printer')).toThrow(
      new TraceError('invalid_option', `Printer: ${problem}`),
    );
  });
});

describe('objectWith', () => {
  const schema = z.strictObject({
    bus: objectWith<{ emit(): void }>('emit'),
    provider: objectWith<{ getTracer(): void }>('getTracer', 'a TracerProvider').optional(),
  });
  const parse = (options: unknown) => () => parseOptions(schema, options, 'Thing');

  test('takes what has the method, whatever made it, and gives that very object', () => {
    class Bus {
      emit(): void {}
    }
    const bus = new Bus();
    const callable = Object.assign(() => {}, { emit: () => {} });

    expect(parseOptions(schema, { bus }, 'Thing').bus).toBe(bus);
    expect(parseOptions(schema, { bus: callable }, 'Thing').bus).toBe(callable);
  });

  test.each([undefined, null, 1, 'emit', {}, { emit: true }])('refuses %j', (bus) => {
    expect(parse({ bus })).toThrow('Thing: bus: expected an object with emit(), got ');
  });

  test('says what was expected in the words it was given', () => {
    expect(parse({ bus: { emit() {} }, provider: 7 })).toThrow(
      'Thing: provider: expected a TracerProvider, got 7',
    );
  });
});
