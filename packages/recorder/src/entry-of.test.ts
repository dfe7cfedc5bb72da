import { createTraceEvent } from '@pyagent-trace/core';
import { hostilePayloads } from '@pyagent-trace/core/testing';
import { describe, expect, test } from 'vitest';
import {
  answeredOf,
  askedOf,
  describeThrown,
  encodeEntry,
  type EndedCall,
  entryOfCall,
  entryOfEvent,
  plainPayload,
} from './entry-of.ts';
import { RecordEntrySchema } from './record-entry.ts';

const CALL = {
  kind: 'llm_call',
  timestamp: 1735689600.5,
  agent_name: 'bull',
  pattern_type: 'debate',
  span_id: '0000000100000003',
} as const;

const ASKED = {
  model: 'gpt-4o',
  messages_in: [
    { role: 'user', content: 'Buy?', name: 'ann' },
    { role: 'user', content: 'Sell?' },
  ],
  temperature: 0.2,
};

function throughAFile(call: Pick<EndedCall, 'asked' | 'answered'>): ReturnType<typeof entryOfCall> {
  return RecordEntrySchema.parse(JSON.parse(encodeEntry(entryOfCall({ ...CALL, ...call }))));
}

describe('entryOfCall', () => {
  test('has question and answer side by side', () => {
    const answered = { response: 'Buy.', model: 'gpt-4o-2024', input_tokens: 3, verdict: 'buy' };

    expect(entryOfCall({ ...CALL, asked: ASKED, answered })).toEqual({
      timestamp: 1735689600.5,
      event_type: 'llm_call',
      agent_name: 'bull',
      messages_in: [
        { role: 'user', content: 'Buy?', name: 'ann' },
        { role: 'user', content: 'Sell?', name: '' },
      ],
      response: 'Buy.',
      metadata: {
        span_id: '0000000100000003',
        pattern_type: 'debate',
        model: 'gpt-4o',
        temperature: 0.2,
        input_tokens: 3,
        verdict: 'buy',
        response_model: 'gpt-4o-2024',
        answer_keys: ['verdict'],
      },
    });
  });

  test.each([
    [{}, { status: 'ok' }],
    [ASKED, { response: 'Buy.', model: 'gpt-4o', status: 'ok' }],
    [ASKED, { response: '', status: 'ok' }],
    [ASKED, { response: { text: 'Buy.' }, result: null, status: 'ok' }],
    [{ messages_in: 'Buy?' }, { status: 'ok', result: 7 }],
    [{ messages_in: [] }, { status: 'ok', result: 7 }],
    [{ messages_in: ['Buy?', { content: 'no role' }] }, { status: 'ok', result: 7 }],
    [
      { temperature: 1, note: 'a' },
      { status: 'ok', temperature: 0, verdict: 'buy' },
    ],
    [JSON.parse('{"__proto__":1,"constructor":2}'), { status: 'ok', result: { __proto__: null } }],
  ])('of %j and %j gives both back after it was read', (asked, answered) => {
    const entry = throughAFile({ asked: asked as object as never, answered });

    const [first, second] = ASKED.messages_in;
    const expected =
      asked === ASKED ? { ...ASKED, messages_in: [first, second] } : (asked as object);
    expect(JSON.parse(JSON.stringify(askedOf(entry)))).toEqual(
      JSON.parse(JSON.stringify(expected)),
    );
    expect(JSON.stringify(sorted(answeredOf(entry)))).toBe(JSON.stringify(sorted(answered)));
  });

  test('takes whatever a payload holds', () => {
    for (const { payload } of hostilePayloads())
      throughAFile({
        asked: plainPayload(payload),
        answered: plainPayload({ result: payload, response: payload }),
      });
  });

  test('keeps no reference to what it was given', () => {
    const messages_in = [{ role: 'user', content: 'Buy?' }];
    const entry = entryOfCall({ ...CALL, asked: plainPayload({ messages_in }), answered: {} });
    messages_in[0] = { role: 'user', content: 'changed' };

    expect(entry.messages_in).toMatchObject([{ content: 'Buy?' }]);
  });
});

function patternEnd(output: unknown): object {
  const payload = { output, duration_ms: 250 };
  return entryOfEvent(createTraceEvent({ timestamp: 1, event_type: 'pattern_end', payload }));
}

describe('entryOfEvent', () => {
  test('takes the text of an end as the answer, and leaves an object where it is', () => {
    expect(patternEnd('Buy.')).toMatchObject({
      response: 'Buy.',
      metadata: { duration_ms: 250, duration_seconds: 0.25 },
    });
    expect(patternEnd('Buy.')).not.toHaveProperty('metadata.output');
    expect(patternEnd({ text: 'Buy.' })).toMatchObject({
      response: '',
      metadata: { output: { text: 'Buy.' } },
    });
  });
});

describe('describeThrown', () => {
  test('says name, message and code of anything that can be thrown', () => {
    const refused = Object.assign(new TypeError('no'), { code: 'E1' });
    expect(describeThrown(refused)).toEqual({ message: 'no', error_type: 'TypeError', code: 'E1' });
    expect(describeThrown('text')).toEqual({ message: 'text', error_type: 'string' });
    expect(describeThrown(undefined)).toEqual({ message: 'undefined', error_type: 'undefined' });
    const broken = {
      get message(): never {
        throw new Error('read');
      },
    };
    expect(describeThrown(broken).error_type).toBe('object');
  });
});

function sorted(value: object): object {
  return Object.fromEntries(Object.entries(value).toSorted(([a], [b]) => (a < b ? -1 : 1)));
}
