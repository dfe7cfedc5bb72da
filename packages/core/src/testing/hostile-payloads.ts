import type { TracePayload } from '../event.ts';

/** A payload that breaks a careless serialiser. */
export interface HostilePayload {
  /** What is hostile about it. */
  readonly name: string;
  readonly payload: TracePayload;
}

/**
 * Payloads that JSON.stringify throws on, takes seconds for, or writes as something that harms a
 * reader. Most have the hostile value under `value`; those about the payload itself come last.
 *
 * @example
 * ```ts
 * for (const { name, payload } of hostilePayloads())
 *   test(name, () => exporter.exportEvent(createTraceEvent({ event_type: 'llm_call', payload })));
 * ```
 */
export function hostilePayloads(): readonly HostilePayload[] {
  return [
    ...Object.entries(hostileValues()).map(([name, value]) => ({ name, payload: { value } })),
    ...Object.entries(wholePayloads()).map(([name, payload]) => ({ name, payload })),
  ];
}

function hostileValues(): Record<string, unknown> {
  return {
    'a BigInt': 2n ** 70n,
    'an object that contains itself': selfContaining(),
    'a getter that throws': {
      get broken(): never {
        throw new Error('read');
      },
    },
    'a revoked proxy': revokedProxy(),
    'a proxy whose every trap throws': throwingProxy(),
    'a toJSON that throws': { toJSON: thrower },
    'a toJSON that returns its object': {
      toJSON(): unknown {
        return this;
      },
    },
    'a toJSON that returns undefined': { toJSON: () => undefined },
    'an object that cannot become text': { [Symbol.toPrimitive]: thrower, toString: thrower },
    'a toStringTag that throws': Object.defineProperty({}, Symbol.toStringTag, { get: thrower }),
    'a constructor that has no name': Object.create({ constructor: null }, {}),
    'an object without prototype': Object.assign(Object.create(null) as object, { key: 1 }),
    'a class with private state': new (class Account {
      #secret = 1;
      visible = 2;
      total(): number {
        return this.#secret + this.visible;
      }
    })(),
    'a Map with objects as keys': new Map<unknown, unknown>([[{ id: 1 }, new Map([[1n, 2]])]]),
    'a Set that contains itself': selfContainingSet(),
    'an invalid Date': new Date(Number.NaN),
    'an Error that causes itself': selfCausedError(),
    'a function': thrower,
    'a symbol': Symbol('secret'),
    'a promise and weak references': [Promise.resolve(1), new WeakMap(), new WeakRef({})],
    'a thenable': {
      // oxlint-disable-next-line unicorn/no-thenable -- that it is one is the point
      then: thrower,
    },
    'boxed primitives': [Object('text'), Object(1), Object(true), Object(1n)],
    'numbers JSON does not have': [Number.NaN, Infinity, -Infinity, -0],
    'undefined in an array': [undefined, { dropped: undefined }],
    'a typed array of 10 MB': new Uint8Array(1e7),
    '100,000 levels of nesting': nested(1e5),
    '25 nested pairs of one object': sharedPairs(25),
    'a sparse array of 20,000,000': Object.assign([], { 19_999_999: 1 }),
    '50,000 keys': Object.fromEntries(Array.from({ length: 5e4 }, (_, i) => [`key${i}`, i])),
    'a string of 1,000,000 characters': 'x'.repeat(1e6),
    'lone surrogates': '\ud83d and \ude00, and as a key too',
    'line separators': 'one\u2028two\u2029three\r\nfour\u0000five\ufeff',
    'terminal escapes': '\u001b]0;title\u0007\u001b[2J\u009b31m\u202egnp.exe',
    'the end of a script': '</script><!--',
    'an own __proto__': JSON.parse('{"__proto__":{"admin":true},"constructor":{"prototype":1}}'),
    'keys that are no names': { '': 1, 'a.b': 2, '\ud83d': 3, '\u001b[2J': 4, [Symbol('key')]: 5 },
  };
}

function wholePayloads(): Record<string, TracePayload> {
  return {
    'a payload that is a revoked proxy': revokedProxy(),
    'a payload whose every trap throws': throwingProxy(),
    'a payload that contains itself': selfContaining(),
    'a payload whose ids throw': Object.defineProperties(
      {},
      {
        span_id: { get: thrower, enumerable: true },
        trace_id: { get: thrower, enumerable: true },
      },
    ),
    'ids that are no strings': { trace_id: 7, span_id: {}, parent_span_id: Symbol('parent') },
    'ids that are names of Object': { trace_id: '__proto__', span_id: 'constructor' },
    'a span that is its own parent': { trace_id: 'loop', span_id: 'loop', parent_span_id: 'loop' },
    'known keys of the wrong type': {
      messages_in: 7n,
      response: { toString: thrower },
      model: ['gpt-4o'],
      input_tokens: '12',
      output_tokens: -1,
      cost_usd: Number.NaN,
      duration_ms: Infinity,
      status: Symbol('ok'),
      tags: 'one',
      metadata: [null],
    },
  };
}

function thrower(): never {
  throw new Error('hostile');
}

function selfContaining(): Record<string, unknown> {
  const value: Record<string, unknown> = { list: [] };
  value['self'] = value;
  (value['list'] as unknown[]).push(value);
  return value;
}

function selfContainingSet(): Set<unknown> {
  const value = new Set<unknown>();
  return value.add(value);
}

function selfCausedError(): Error {
  const error = new TypeError('out of luck');
  error.cause = error;
  return error;
}

function revokedProxy(): Record<string, unknown> {
  const { proxy, revoke } = Proxy.revocable({}, {});
  revoke();
  return proxy;
}

function throwingProxy(): Record<string, unknown> {
  // a handler that is a proxy itself answers for every trap there is
  return new Proxy({}, new Proxy({}, { get: () => thrower }));
}

function nested(levels: number): unknown {
  let value: unknown = 'bottom';
  for (let level = 0; level < levels; level++) value = { value };
  return value;
}

/** 2^levels values when written as a tree. */
function sharedPairs(levels: number): unknown {
  let value: unknown = 'leaf';
  for (let level = 0; level < levels; level++) value = { left: value, right: value };
  return value;
}
