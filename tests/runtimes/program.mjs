// A program as an app would write it. What differs from run to run (ids, times, durations) is not printed.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createTraceEvent, TraceEventBus } from '@pyagent-trace/core';
import { redact, truncate } from '@pyagent-trace/core/processors';
import { readTraceEvents } from '@pyagent-trace/core/read';
import { SpanAssembler } from '@pyagent-trace/core/spans';
import { createTracer } from '@pyagent-trace/core/tracer';
import { CostTracker, usageFrom } from '@pyagent-trace/cost';
import { ConsoleExporter } from '@pyagent-trace/exporter-console';
import { JsonlExporter } from '@pyagent-trace/exporter-jsonl';

const folder = mkdtempSync(join(tmpdir(), 'program-'));
const path = join(folder, 'run.jsonl');
const lines = [];

const bus = new TraceEventBus({ processors: [redact(), truncate()] });
const tracker = new CostTracker({ bus });
bus.attach(tracker);
bus.attach(new JsonlExporter(path));
bus.attach(new ConsoleExporter({ format: 'line', output: { write: (text) => lines.push(text) } }));
const tracer = createTracer(bus);

const model = 'gpt-4o-mini';
const names = ['bull', 'bear', 'owl'];
// all agents are open at once, and take turns, so that the order of the events is known
const turns = names.map(() => Promise.withResolvers());
const verdict = await tracer.pattern('debate', { input: 'Buy?', session_id: 's1' }, async () => {
  const sides = await Promise.all(
    names.map((name, n) =>
      tracer.agent(name, async () => {
        await turns[n - 1]?.promise;
        await tracer.tool('look_up', { token: `ghp_${'a'.repeat(36)}` }, async () => n);
        const prompt_tokens = 100 * (n + 1);
        await tracer.llmCall({ provider: 'openai', model }, async (call) => {
          await new Promise((resolve) => {
            setTimeout(resolve, 5);
          });
          const usage = { prompt_tokens, completion_tokens: 10 };
          call.respond({ response: name, ...usageFrom({ model, usage }) });
        });
        setTimeout(() => turns[n].resolve(), 5);
        return name;
      }),
    ),
  );
  bus.emit(createTraceEvent({ event_type: 'vendor.note', payload: { sides } }));
  return sides.join(' and ');
});

console.log(verdict);
for (const receipt of await bus.shutdown()) console.log(JSON.stringify(receipt));
console.log(tracker.formatSummary());
console.log(JSON.stringify(tracker.summary()));

const stable = (text) =>
  text
    .replaceAll(/\b(?:[0-9a-f]{32}|[0-9a-f]{16})\b/g, '<id>')
    .replaceAll(/\b(\w+_ms)=[\d.]+/g, '$1=<ms>');
for (const line of lines) process.stdout.write(stable(line));

const spans = [];
const assembler = new SpanAssembler({ onEnd: (span) => spans.push(span) });
for await (const event of readTraceEvents(path)) assembler.add(event);
assembler.shutdown();
const nameOf = (id) => spans.find(({ span_id }) => span_id === id)?.name ?? null;
for (const { kind, name, status, parent_span_id, attributes } of spans)
  console.log(kind, name, status, nameOf(parent_span_id), JSON.stringify(attributes.cost_usd));
rmSync(folder, { recursive: true });
