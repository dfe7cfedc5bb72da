// The app's own work: conversations whose answers it adds up, traced.
import { setImmediate, setTimeout } from 'node:timers/promises';
import { createTraceEvent, type TraceEventBus } from '@pyagent-trace/core';
import { hostilePayloads } from '@pyagent-trace/core/testing';
import type { Tracer } from '@pyagent-trace/core/tracer';
import { answerOf, type Scenario } from '../scenario.ts';

/** Beside a text of a given length there is nothing in it. */
const texts = new Map<number, string>();

function textOf(characters: number): string {
  const text = texts.get(characters) ?? 'x'.repeat(characters);
  texts.set(characters, text);
  return text;
}

export async function converse(
  tracer: Tracer,
  number: number,
  characters: number,
): Promise<number> {
  const text = textOf(characters);
  const model = 'gpt-4o';
  const messages_in = [{ role: 'user', content: text }];
  return tracer.pattern('debate', { input: number }, () =>
    tracer.agent('bull', { input: number }, () =>
      tracer.llmCall({ provider: 'openai', model, messages_in }, async (call) => {
        await setImmediate(); // the model thinks
        call.respond({ response: text, input_tokens: 12, output_tokens: 2 });
        return answerOf(number);
      }),
    ),
  );
}

/** Holds all conversations. Returns the sum of their answers. */
export async function work(
  tracer: Tracer,
  { conversations, atOnce, pauseMs, characters, clockJumpMs }: Scenario,
): Promise<number> {
  let sum = 0;
  for (let begun = 0; begun < conversations;) {
    const group: Promise<number>[] = [];
    const end = Math.min(begun + atOnce, conversations);
    const isHalf = begun < conversations / 2 && end >= conversations / 2;
    for (; begun < end; begun++)
      group.push(converse(tracer, begun, characters[begun % characters.length] ?? 0));
    if (isHalf && clockJumpMs !== 0) jump(clockJumpMs); // while these are under way
    for (const answer of await Promise.all(group)) sum += answer;
    if (pauseMs > 0) await setTimeout(pauseMs);
  }
  return sum;
}

/** Each hostile payload as it is, and each hostile value under the keys that exporters read. */
export async function emitHostilePayloads(bus: TraceEventBus): Promise<void> {
  for (const [index, { payload }] of hostilePayloads().entries()) {
    bus.emit(createTraceEvent({ event_type: 'llm_call', payload }));
    const ids = { trace_id: 'f'.repeat(32), span_id: (index + 1).toString(16).padStart(16, 'f') };
    let value: unknown = payload;
    try {
      ({ value = payload } = payload);
    } catch {
      // it is hostile as a whole
    }
    const keys = { model: value, messages_in: value, response: value, metadata: value };
    bus.emit(createTraceEvent({ event_type: 'llm_call', payload: { ...ids, ...keys } }));
    await setImmediate(); // each takes the time it takes
  }
}

/** The wall clock alone: the one that durations are measured with never jumps. */
function jump(byMs: number): void {
  const Before = Date;
  globalThis.Date = class extends Before {
    constructor(...args: readonly unknown[]) {
      super(...((args.length === 0 ? [Before.now() + byMs] : args) as [number]));
    }

    static override now(): number {
      return Before.now() + byMs;
    }
  } as DateConstructor;
}
