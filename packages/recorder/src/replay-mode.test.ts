import { describe, expect, test } from 'vitest';
import { resolveMode } from './replay-mode.ts';

describe('resolveMode', () => {
  test.each([
    [undefined, {}, 'replay'],
    ['auto', {}, 'auto'],
    ['auto', { CI: 'true' }, 'replay'],
    ['auto', { CI: '1' }, 'replay'],
    ['auto', { CI: 'false' }, 'auto'],
    ['record', { CI: 'true' }, 'record'],
    ['replay', { PYAGENT_TRACE_REPLAY: 'record' }, 'record'],
    ['replay', { PYAGENT_TRACE_REPLAY: '' }, 'replay'],
    ['live', { PYAGENT_TRACE_REPLAY: 'auto', CI: 'true' }, 'replay'],
  ] as const)('of option %s in %o is %s', (option, env, mode) => {
    expect(resolveMode(option, 'createReplayer', env)).toBe(mode);
  });

  test('refuses a variable that names no mode', () => {
    expect(() =>
      resolveMode('auto', 'createReplayer', { PYAGENT_TRACE_REPLAY: 'rerecord' }),
    ).toThrow(
      'createReplayer: PYAGENT_TRACE_REPLAY: expected record, replay, auto, live, got "rerecord"',
    );
  });
});
