import { describe, expect, expectTypeOf, test } from 'vitest';
import { messageOf, TraceError, type TraceErrorCode } from './errors.ts';

describe('TraceError', () => {
  test('carries a code and a cause, and is an Error', () => {
    const cause = new Error('no such file');
    const error = new TraceError('read_failed', 'run.jsonl: cannot be read', { cause });

    expect(error).toBeInstanceOf(Error);
    expect([error.name, error.code, error.message, error.cause]).toEqual([
      'TraceError',
      'read_failed',
      'run.jsonl: cannot be read',
      cause,
    ]);
    expectTypeOf(error.code).toEqualTypeOf<TraceErrorCode>();
  });

  test('has no cause unless it is given one', () => {
    expect('cause' in new TraceError('invalid_option', 'text')).toBe(false);
  });

  test('has codes of its own that complete in the editor, and takes those of other packages', () => {
    expectTypeOf<'invalid_option'>().toExtend<TraceErrorCode>();
    expectTypeOf<'invented_elsewhere'>().toExtend<TraceErrorCode>();
    expect(new TraceError('invented_elsewhere', 'text').code).toBe('invented_elsewhere');
  });

  test('is known across copies of the package, and through its children', () => {
    class Child extends TraceError {}
    const ofAnotherCopy = { [Symbol.for('@pyagent-trace/error')]: true };

    expect(TraceError.isInstance(new TraceError('invalid_event', 'text'))).toBe(true);
    expect(TraceError.isInstance(new Child('invalid_event', 'text'))).toBe(true);
    expect(TraceError.isInstance(ofAnotherCopy)).toBe(true);
  });

  test('is nothing else', () => {
    const { proxy, revoke } = Proxy.revocable({}, {});
    revoke();
    const throwing = new Proxy(
      {},
      {
        has: () => {
          throw new Error('boom');
        },
      },
    );

    for (const value of [new Error('text'), null, undefined, 'text', {}, proxy, throwing])
      expect(TraceError.isInstance(value)).toBe(false);
  });
});

describe('messageOf', () => {
  test.each([
    [new TypeError('text'), 'text'],
    [{ message: 'text' }, 'text'],
    [{ message: 7 }, '7'],
    ['text', 'text'],
    [undefined, 'undefined'],
    [null, 'null'],
    [Symbol('text'), 'Symbol(text)'],
    [Object.create(null), 'an error that cannot be printed'],
  ])('of %o is text', (error, message) => {
    expect(messageOf(error)).toBe(message);
  });

  test('does not throw, whatever is in the way', () => {
    const silent = {
      get message(): never {
        throw new Error('boom');
      },
    };

    expect(messageOf(silent)).toBe('an error that cannot be printed');
    expect(messageOf({ message: Object.create(null) })).toBe('an error that cannot be printed');
  });
});
