// What does an answer from a recording cost, beside the function that it stands in for? Nothing else
// replays what a tracer wrote: JSON.parse of the recorded answer is a yardstick, not a peer.
import { encodeTraceEvent, TraceEventBus } from '@pyagent-trace/core';
import { createTracer, type Tracer } from '@pyagent-trace/core/tracer';
import { createReplayer, type Replay } from '@pyagent-trace/recorder';
import { comparing, type Subject } from './harness/compare.ts';
import type { Measurement } from './harness/table.ts';
import { sampleTriples } from './samples.ts';

export const measurements: readonly Measurement[] = comparing({
  title: 'a model call that is replayed',
  per: 'call',
  iterations: 4_000,
  rounds: 15,
  subjects: [replayed(), scripted()],
  peer: parsed(),
  note: 'Each call asks something else, in a pattern and an agent; the recording is read before.',
});

const ANSWER = 'Yes: earnings grew by';

async function ask(
  tracer: Tracer,
  calls: number,
  answer: (call: number) => string,
): Promise<number> {
  let answered = 0;
  for (let i = 0; i < calls; i++) {
    const content = `Should we buy share ${i}?`;
    const response = await tracer.pattern('debate', { input: content }, () =>
      tracer.agent('bull', { role: 'optimist' }, () =>
        tracer.llmCall(
          {
            provider: 'openai',
            model: 'gpt-4o',
            messages_in: [{ role: 'user', content }],
            temperature: 0,
          },
          async (call) => {
            const text = answer(i);
            call.respond({ response: text, input_tokens: 512, output_tokens: 20 });
            return text;
          },
        ),
      ),
    );
    if (response.startsWith(ANSWER)) answered += 1;
  }
  return answered;
}

function replayed(): Subject {
  return {
    name: 'createReplayer, from a trace',
    start() {
      let replay: Replay | undefined;
      return {
        async prepare(iterations) {
          await replay?.close();
          replay = await createReplayer(sampleTriples(iterations), { onUnused() {} });
        },
        round: (iterations) =>
          ask(
            createTracer(new TraceEventBus(), { interceptors: replay ? [replay] : [] }),
            iterations,
            () => 'asked',
          ),
      };
    },
  };
}

function scripted(): Subject {
  return {
    name: 'a scripted function, not replayed',
    start: () => ({
      round: (iterations) =>
        ask(createTracer(new TraceEventBus()), iterations, (call) => `${ANSWER} ${call} %.`),
    }),
  };
}

function parsed(): Subject {
  return {
    name: 'JSON.parse of its line, as a yardstick',
    start() {
      let lines: string[] = [];
      return {
        prepare(iterations) {
          lines = sampleTriples(iterations)
            .filter(({ event_type }) => event_type === 'llm_response')
            .map((event) => encodeTraceEvent(event));
        },
        round() {
          let answered = 0;
          for (const line of lines) {
            const { payload } = JSON.parse(line) as { payload: { response: string } };
            if (payload.response.startsWith(ANSWER)) answered += 1;
          }
          return answered;
        },
      };
    },
  };
}
