import { existsSync, readFileSync } from 'node:fs';
import type { TraceEvent } from '@pyagent-trace/core';
import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { formatLine } from './line.ts';

const VECTORS = new URL('../../../../shared/vectors/console.json', import.meta.url);

describe('formatLine', () => {
  test.for<[TraceEvent, string]>([
    [
      event('pattern_start', '', 'pipeline', {
        input_tokens: 338581,
        label: 'xxxx',
        model: 'claude-sonnet-4',
        trace_id: 't3',
      }),
      '[pattern_start] pattern=pipeline input_tokens=338581 label=xxxx model=claude-sonnet-4 trace_id=t3',
    ],
    [
      event('cost_record', 'naïve', 'voting', { trace_id: 't3', round: 5 }),
      '[cost_record] pattern=voting agent=naïve trace_id=t3 round=5',
    ],
    [
      event('pattern_start', '研究者', 'debate', { label: '', note: 'a=b' }),
      '[pattern_start] pattern=debate agent=研究者 label= note=a=b',
    ],
    [
      event('custom_type', 'agent with space', '', { note: 'two words' }),
      '[custom_type] agent=agent with space note=two words',
    ],
    [event('agent_end', '', '', {}), '[agent_end]'],
  ])('prints what Python prints: %j', ([given, line]) => {
    expect(formatLine(given)).toBe(line);
  });

  test.skipIf(!existsSync(VECTORS))(
    'prints all lines that Python printed (skipped where the vectors are absent)',
    () => {
      const vectors = JSON.parse(readFileSync(VECTORS, 'utf8')) as {
        event: TraceEvent;
        line: string;
      }[];
      expect(vectors.map((vector) => `${formatLine(vector.event)}\n`)).toEqual(
        vectors.map(({ line }) => line),
      );
    },
  );

  test('prints what is neither a string nor a number as JSON', () => {
    const payload = {
      tags: ['a', 1],
      metadata: { team: 'x y' },
      stream: true,
      seed: null,
      left_out: undefined,
      at: new Date(0),
      big: 2n ** 70n,
      temperature: 0.7,
      nan: Number.NaN,
    };
    expect(formatLine(event('llm_call', '', '', payload))).toBe(
      '[llm_call] tags=["a",1] metadata={"team":"x y"} stream=true seed=null ' +
        'at=1970-01-01T00:00:00.000Z big=1180591620717411303424 temperature=0.7 nan=null',
    );
  });

  test('shows control characters in names, keys and values', () => {
    const payload = {
      '\u001b[2J': '\u001b]0;title\u0007',
      note: 'one\n[error] forged',
      deep: ['\u009b'],
    };
    expect(formatLine(event('a\nb', 'c\u202ed', 'e\u007f', payload))).toBe(
      '[a\\nb] pattern=e\\u007f agent=c\\u202ed \\u001b[2J=\\u001b]0;title\\u0007 ' +
        'note=one\\n[error] forged deep=["\\u009b"]',
    );
  });

  test('prints a payload that cannot be read as a word in brackets', () => {
    const { proxy, revoke } = Proxy.revocable({}, {});
    revoke();
    expect(formatLine(event('llm_call', '', '', proxy))).toBe('[llm_call] [Unserializable]');
  });

  test('is one line without control characters, whatever an event holds', () => {
    const units = fc.oneof(fc.integer({ min: 0, max: 0xffff }), fc.constantFrom(...OBEYED));
    const text = fc.array(units).map((codes) => String.fromCharCode(...codes));
    fc.assert(
      fc.property(
        text,
        text,
        text,
        fc.dictionary(text, fc.oneof(text, fc.anything())),
        (...given) => {
          const line = formatLine(event(...given));
          expect(line).not.toMatch(/[\p{Cc}\p{Cs}\p{Bidi_Control}\u2028\u2029]/u);
        },
      ),
    );
  });
});

const OBEYED = [0x0a, 0x0d, 0x1b, 0x7f, 0x85, 0x9b, 0x200f, 0x2028, 0x202e, 0x2066, 0xd83d, 0xdc00];

function event(
  event_type: string,
  agent_name: string,
  pattern_type: string,
  payload: TraceEvent['payload'],
): TraceEvent {
  return { timestamp: 0, event_type, agent_name, pattern_type, payload };
}
