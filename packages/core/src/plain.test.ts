import { runInNewContext } from 'node:vm';
import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { isPlainData, MAX_CHARACTERS, MAX_DEPTH, MAX_VALUES, toPlainData } from './plain.ts';

function thrower(): never {
  throw new Error('boom');
}

function nested(levels: number): unknown {
  let value: unknown = 'bottom';
  for (let i = 0; i < levels; i++) value = { value };
  return value;
}

function numbers(length: number): number[] {
  return Array.from({ length }, () => 0);
}

class Account {
  #secret = 1;
  visible = 2;

  get total(): number {
    return this.#secret + this.visible;
  }
}

describe('toPlainData', () => {
  test.each<[string, unknown, unknown]>([
    ['a string', 'text', 'text'],
    ['null', null, null],
    ['undefined', undefined, undefined],
    ['a number', 1.5, 1.5],
    ['NaN', NaN, null],
    ['Infinity', [Infinity, -Infinity], [null, null]],
    ['a BigInt', 2n ** 70n, '1180591620717411303424'],
    ['a symbol', Symbol('key'), '[Symbol(key)]'],
    ['a function', thrower, '[Function thrower]'],
    ['a function without a name', (() => () => {})(), '[Function anonymous]'],
    ['a Date', new Date(0), '1970-01-01T00:00:00.000Z'],
    ['an invalid Date', new Date(NaN), 'Invalid Date'],
    ['a RegExp', /a+/g, '/a+/g'],
    ['a URL', new URL('http://localhost/'), 'http://localhost/'],
    ['a Buffer', Buffer.from('text'), '[Buffer 4 bytes]'],
    ['an ArrayBuffer', new ArrayBuffer(8), '[ArrayBuffer 8 bytes]'],
    ['a DataView', new DataView(new ArrayBuffer(8)), '[DataView 8 bytes]'],
    [
      'a Map',
      new Map<unknown, unknown>([
        ['a', 1n],
        [7, 2],
        [undefined, 3],
      ]),
      { a: '1', 7: 2, undefined: 3 },
    ],
    ['a Map with an object as a key', new Map([[{ id: 1 }, 1]]), { '{"id":1}': 1 }],
    ['a Set', new Set([1, new Set([2])]), [1, [2]]],
    ['undefined in an array', [undefined, 1], [null, 1]],
    ['undefined in an object', { a: undefined, b: 1 }, { b: 1 }],
    ['a hole', Object.assign([], { 1: 'b' }), [null, 'b']],
    ['boxed primitives', [Object('a'), Object(1), Object(true), Object(1n)], ['a', 1, true, '1']],
    ['a promise', Promise.resolve(), '[object Promise]'],
    ['a class', new Account(), { visible: 2 }],
    [
      'an object without a prototype',
      Object.assign(Object.create(null) as object, { a: 1 }),
      { a: 1 },
    ],
    ['a symbol as a key', { [Symbol('key')]: 1 }, {}],
    ['a toJSON', { toJSON: () => ({ id: 7n }) }, { id: '7' }],
    ['a toJSON that throws', { toJSON: thrower }, '[Unserializable]'],
    [
      'values of another realm',
      runInNewContext('[new Date(0), new Map([["a", 1]]), new Set([1]), /a/]'),
      ['1970-01-01T00:00:00.000Z', { a: 1 }, [1], '/a/'],
    ],
  ])('%s', (_name, value, plain) => {
    expect(toPlainData(value)).toEqual(plain);
  });

  test('the name of a class is cut as any other text', () => {
    const bytes = new Uint8Array(8);
    Object.defineProperty(bytes, 'constructor', {
      value: { name: 'x'.repeat(MAX_CHARACTERS + 7) },
    });

    expect(toPlainData(bytes)).toMatch(/^\[x+\[Truncated: 17 more characters\]$/);
  });

  test('an error is its name, message, stack, cause and own keys', () => {
    const error = Object.assign(new TypeError('boom', { cause: new Error('why') }), { code: 7n });

    expect(toPlainData(error)).toEqual({
      name: 'TypeError',
      message: 'boom',
      stack: expect.stringContaining('plain.test.ts'),
      cause: { name: 'Error', message: 'why', stack: expect.any(String) },
      code: '7',
    });
  });

  test('an AggregateError keeps its errors', () => {
    expect(toPlainData(new AggregateError([new Error('one')], 'all'))).toMatchObject({
      name: 'AggregateError',
      message: 'all',
      errors: [{ name: 'Error', message: 'one' }],
    });
  });

  test('an error whose stack throws keeps the rest', () => {
    const error = Object.defineProperty(new Error('boom'), 'stack', { get: thrower });

    expect(toPlainData(error)).toEqual({ name: 'Error', message: 'boom', stack: '[Getter threw]' });
  });

  test('a getter that throws is marked, and its neighbours stay', () => {
    const value = Object.defineProperty({ a: 1 }, 'b', { get: thrower, enumerable: true });

    expect(toPlainData(value)).toEqual({ a: 1, b: '[Getter threw]' });
  });

  test('what contains itself is marked, what is only repeated is not', () => {
    const self: Record<string, unknown> = { shared: [1] };
    self['again'] = self['shared'];
    self['self'] = self;

    expect(toPlainData(self)).toEqual({ shared: [1], again: [1], self: '[Circular]' });
  });

  test('a toJSON that returns its object gives the own keys', () => {
    const value = {
      id: 1,
      toJSON(): unknown {
        return this;
      },
    };

    expect(toPlainData(value)).toEqual({ id: 1, toJSON: '[Function toJSON]' });
  });

  test('a Map that is its own key ends', () => {
    const self = new Map<unknown, unknown>();
    self.set(self, 1);

    expect(toPlainData(self)).toEqual({ '[Circular]': 1 });
  });

  test('Maps that are keys of Maps do not grow: each level would double the escapes', () => {
    let key: unknown = 'a "quoted" key';
    for (let i = 0; i < 60; i++) key = new Map([[key, i]]);
    const [plain, next] = toPlainData([key, 'text']) as [unknown, unknown];

    expect(JSON.stringify(plain).length).toBeLessThan(10_000);
    expect(next).toBe('text');
  });

  test('many large keys share the bound on values', () => {
    const large = Array.from({ length: 1_000 }, (_, i) => i);
    const many = new Map(Array.from({ length: 1_000 }, (_, i) => [[...large, i], i]));
    const plain = toPlainData(many) as object;

    expect(Object.keys(plain).length).toBeLessThanOrEqual(MAX_VALUES / 1_000 + 1);
    expect(plain).toHaveProperty(['[Truncated]'], 'more keys');
  });

  test('an own __proto__ stays data, in an object and in a Map', () => {
    const data = JSON.parse('{"__proto__":{"admin":true}}') as object;

    for (const value of [data, new Map([['__proto__', { admin: true }]])]) {
      const plain = toPlainData(value) as object;
      expect(Object.getPrototypeOf(plain)).toBe(Object.prototype);
      expect(JSON.stringify(plain)).toBe('{"__proto__":{"admin":true}}');
    }
  });

  test.each([1n, thrower, Symbol('s')])('a getter that gives %o the second time', (second) => {
    let reads = 0;
    const changing = Object.defineProperty({}, 'key', {
      enumerable: true,
      get: () => ((reads += 1) === 1 ? 'plain' : second),
    });

    expect(isPlainData(toPlainData([changing]))).toBe(true);
    expect(reads).toBeGreaterThan(1);
  });

  test('an array is its items, whatever iterator it has', () => {
    const endless = Object.assign([1], {
      *[Symbol.iterator]() {
        for (;;) yield 1;
      },
    });
    const broken = Object.assign([1], { [Symbol.iterator]: thrower });

    for (const value of [
      [endless, broken],
      [endless, broken, new Date(NaN)],
    ])
      expect(toPlainData(value)).toEqual([[1], [1], 'Invalid Date'].slice(0, value.length));
  });

  test('a key that does not fit is left out with those after it, and said', () => {
    const plain = toPlainData({ long: 'x'.repeat(MAX_CHARACTERS), after: 1, last: 2 });

    expect(plain).toEqual({
      long: expect.stringMatching(/x\[Truncated: \d more characters\]$/),
      '[Truncated]': 'more keys',
    });
  });

  test('gives what JSON.stringify would give of JSON data', () => {
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        expect(JSON.stringify(toPlainData(value))).toBe(JSON.stringify(value));
      }),
    );
  });

  test('gives plain data, whatever it is given', () => {
    fc.assert(
      fc.property(
        fc.anything({
          withBigInt: true,
          withDate: true,
          withMap: true,
          withSet: true,
          withTypedArray: true,
          withSparseArray: true,
        }),
        (value) => {
          expect(isPlainData(toPlainData(value))).toBe(true);
        },
      ),
    );
  });
});

describe('isPlainData', () => {
  test.each<[string, unknown, boolean]>([
    ['JSON data', { a: [1, 'text', true, null, { b: undefined }] }, true],
    ['an object without a prototype', Object.create(null), true],
    ['NaN, which JSON writes as null', NaN, true],
    ['a BigInt', { a: 1n }, false],
    ['a function', [thrower], false],
    ['a symbol', Symbol('key'), false],
    ['a Date', { a: [new Date(0)] }, false],
    ['a Map', new Map(), false],
    ['a class', new Account(), false],
    ['a toJSON', { toJSON: () => 1 }, false],
    ['as deep as is kept', nested(MAX_DEPTH), true],
    ['deeper than is kept', nested(MAX_DEPTH + 1), false],
    ['as many values as are kept', numbers(MAX_VALUES), true],
    ['more values than are kept', numbers(MAX_VALUES + 1), false],
    ['as many characters as are kept', 'x'.repeat(MAX_CHARACTERS), true],
    ['more characters than are kept', ['x'.repeat(MAX_CHARACTERS), 'x'], false],
    ['more characters in keys', { ['x'.repeat(MAX_CHARACTERS)]: 'x' }, false],
    ['an array of 20,000,000 holes', Object.assign([], { length: 2e7 }), false],
  ])('of %s', (_name, value, plain) => {
    expect(isPlainData(value)).toBe(plain);
  });

  test('forgets what it counted before', () => {
    expect(isPlainData(numbers(MAX_VALUES + 1))).toBe(false);
    expect(isPlainData([1, 'text'])).toBe(true);
  });
});
