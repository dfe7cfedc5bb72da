import { TraceEventBus } from '@pyagent-trace/core';
import { createTracer, type Tracer } from '@pyagent-trace/core/tracer';
import type { Goal, Subject } from '../harness/compare.ts';
import { ANSWER, ANSWERED_MODEL, FINISH_REASONS, MESSAGES, QUESTION, repeated } from './triple.ts';

const EVENTS_PER_TRIPLE = 6;

export function tracerAsync(goal?: Goal): Subject {
  return subject(tracedAsync, goal);
}

export function tracerSync(goal?: Goal): Subject {
  return subject(tracedSync, goal);
}

function subject(triple: (tracer: Tracer) => unknown, goal: Goal | undefined): Subject {
  return {
    name: 'createTracer',
    goal,
    start() {
      const bus = new TraceEventBus();
      let seen = 0;
      bus.subscribe(() => {
        seen += 1;
      });
      const tracer = createTracer(bus);
      return repeated(
        () => triple(tracer),
        () => seen / EVENTS_PER_TRIPLE,
      );
    },
  };
}

async function tracedAsync(tracer: Tracer): Promise<string> {
  return tracer.pattern('debate', { input: QUESTION }, async () =>
    tracer.agent('bull', { role: 'optimist' }, async () =>
      tracer.llmCall(
        { provider: 'openai', model: 'gpt-4o', messages_in: MESSAGES, temperature: 0 },
        async (call) => {
          await Promise.resolve();
          call.respond({
            response: ANSWER,
            model: ANSWERED_MODEL,
            input_tokens: 512,
            output_tokens: 20,
            finish_reasons: FINISH_REASONS,
          });
          return ANSWER;
        },
      ),
    ),
  );
}

function tracedSync(tracer: Tracer): string {
  return tracer.pattern('debate', { input: QUESTION }, () =>
    tracer.agent('bull', { role: 'optimist' }, () =>
      tracer.llmCall(
        { provider: 'openai', model: 'gpt-4o', messages_in: MESSAGES, temperature: 0 },
        (call) => {
          call.respond({
            response: ANSWER,
            model: ANSWERED_MODEL,
            input_tokens: 512,
            output_tokens: 20,
            finish_reasons: FINISH_REASONS,
          });
          return ANSWER;
        },
      ),
    ),
  );
}
