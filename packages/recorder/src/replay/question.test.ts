import { describe, expect, test } from 'vitest';
import { runTraced } from '../../fixtures/run-traced.ts';
import type { Question } from './exchange.ts';
import { comparable, questionOf } from './question.ts';
import { TraceExchanges } from './trace-exchanges.ts';

describe('questionOf', () => {
  test('makes the same of an operation and of the events that it became', async () => {
    const asked: Question[] = [];
    const { events } = await runTraced(
      (tracer) =>
        tracer.pattern('debate', { session_id: 's' }, () =>
          tracer.agent('bull', async () => {
            const messages_in: object[] = [
              { role: 'user', content: 'Buy?', name: null, at: new Date(0) },
            ];
            await tracer.llmCall(
              {
                provider: 'openai',
                model: 'm',
                messages_in,
                tools: [{ run() {} }],
                seed: 1n,
                tags: ['x'],
              },
              async () => messages_in.push({ role: 'assistant', content: 'No.' }),
            );
            tracer.tool('t', { map: new Map([['a', Number.NaN]]) }, { tool_call_id: 'c' }, () => 1);
            tracer.tool('none', undefined, () => 1);
          }),
        ),
      [
        ({ agent_name, payload }, next) => {
          asked.push(questionOf(agent_name, payload, []));
          return next();
        },
      ],
    );
    const recorded: Question[] = [];
    const exchanges = new TraceExchanges(({ question }) => void recorded.push(question), []);
    for (const [index, event] of events.entries()) exchanges.add(event, index + 1);
    exchanges.finish();

    expect(recorded.toSorted(byText)).toEqual(asked.toSorted(byText));
    expect(asked[0]).toEqual({
      agent_name: 'bull',
      provider: 'openai',
      model: 'm',
      messages_in: [{ role: 'user', content: 'Buy?', at: '1970-01-01T00:00:00.000Z' }],
      tools: [{ run: '[Function run]' }],
      seed: '1',
    });
  });

  test('leaves out ids of messages, and keeps those that a message is about', () => {
    const { messages_in } = questionOf(
      '',
      {
        messages_in: [
          {
            id: 'msg_1',
            role: 'assistant',
            content: [{ type: 'tool_use', id: 'toolu_1', name: 'find', input: { id: 7 } }],
          },
          { role: 'tool', tool_call_id: 'call_1', content: '{"id":7}' },
        ],
      },
      [],
    );

    expect(messages_in).toEqual([
      { role: 'assistant', content: [{ type: 'tool_use', name: 'find', input: { id: 7 } }] },
      { role: 'tool', content: '{"id":7}' },
    ]);
  });
});

describe('comparable', () => {
  test('is nothing where a decision lacks a key that is asked', () => {
    const question = { agent_name: '', difficulty: 7, selected_model: 'm' };

    expect(comparable(question, 'asked', ['agent_name', 'difficulty'], false)).toEqual({
      agent_name: '',
      difficulty: 7,
    });
    expect(comparable(question, 'asked', ['agent_name', 'cost'], false)).toBeUndefined();
  });
});

function byText(a: Question, b: Question): number {
  return JSON.stringify(a) < JSON.stringify(b) ? -1 : 1;
}
