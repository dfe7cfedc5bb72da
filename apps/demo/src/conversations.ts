// Recorded conversations of a customer and an airline's agent, all traced at the same time. The trace
// must hold as many calls and tools as were recorded, each in the run it belongs to.
import { setImmediate as answerLater } from 'node:timers/promises';
import { isDeepStrictEqual } from 'node:util';
import { TraceEventBus } from '@pyagent-trace/core';
import { type Span, SpanAssembler } from '@pyagent-trace/core/spans';
import { readTraceEvents } from '@pyagent-trace/core/read';
import { createTracer, type Tracer } from '@pyagent-trace/core/tracer';
import { JsonlExporter } from '@pyagent-trace/exporter-jsonl';
import { DemoError } from './demo-error.ts';
import { type Conversation, type Message, readConversations } from './read-conversations.ts';
import { newTraceFile, shown } from './trace-file.ts';

/** What a conversation is made of. */
interface Counts {
  readonly runs: number;
  readonly customer_calls: number;
  readonly agent_calls: number;
  readonly tool_calls: number;
}

/**
 * Traces the conversations of a file, reads the trace back and compares.
 *
 * @throws {DemoError} when the file is missing or holds something else, or the trace differs from it
 */
export async function checkConversations(path: string): Promise<void> {
  const conversations = await readConversations(path);
  const file = newTraceFile('conversations');

  const bus = new TraceEventBus();
  bus.attach(new JsonlExporter(file));
  const tracer = createTracer(bus);
  await Promise.all(conversations.map((conversation) => traceConversation(tracer, conversation)));
  const [receipt] = await bus.shutdown();

  const recorded = new Map(
    conversations.map(({ name, messages }) => [name, countRecorded(messages)]),
  );
  const traced = await countTraced(file);
  console.log(`recorded  ${formatTotal(recorded)}`);
  console.log(`traced    ${formatTotal(traced)}`);
  console.log(
    `file      ${shown(file)}: ${receipt?.delivered} events, ${receipt?.dropped} dropped`,
  );
  const names = new Set([...recorded.keys(), ...traced.keys()]);
  const wrong = [...names].filter(
    (name) => !isDeepStrictEqual(recorded.get(name), traced.get(name)),
  );
  if (wrong.length > 0) throw new DemoError(`Not what was recorded: ${wrong.join(', ')}`);
  console.log('Each run holds what was recorded of it.');
}

/** The conversation again, with a model and tools that give back what was recorded. */
export function traceConversation(tracer: Tracer, { name, messages }: Conversation): Promise<void> {
  return tracer.pattern('airline', { session_id: name }, async () => {
    // Grows as the conversation goes on; an event keeps it as it was when the call was made.
    const history = messages.filter(({ role }) => role === 'system');
    for (const turn of turnsOf(messages.slice(history.length)))
      await tracer.agent(turn.agent, async () => {
        for (const message of turn.messages) {
          await (message.role === 'tool'
            ? callTool(tracer, history, message)
            : callModel(tracer, history, message));
          history.push(message);
        }
        return turn.messages.at(-1)?.content;
      });
  });
}

/** A model that answers with the recorded message. */
function callModel(
  tracer: Tracer,
  history: readonly Message[],
  message: Message,
): Promise<Message> {
  const request = { provider: 'openai', model: 'gpt-4o', messages_in: history };
  return tracer.llmCall(request, async (call) => {
    await answerLater();
    const { content, tool_calls } = message;
    call.respond({ response: content ?? '', ...(tool_calls && { tool_calls }) });
    return message;
  });
}

/** A tool that returns what it returned then. Name and arguments are in the message that asked for it. */
function callTool(tracer: Tracer, history: readonly Message[], message: Message): Promise<unknown> {
  const { tool_call_id = '', content } = message;
  const asked = history
    .flatMap(({ tool_calls }) => tool_calls ?? [])
    .findLast(({ id }) => id === tool_call_id)?.function;
  const args: unknown = JSON.parse(asked?.arguments ?? '{}');
  return tracer.tool(asked?.name ?? 'unknown', args, { tool_call_id }, async () => {
    await answerLater();
    return content;
  });
}

interface Turn {
  readonly agent: 'customer' | 'agent';
  readonly messages: Message[];
}

/** An agent may call tools for several messages before it answers: all of that is one turn. */
function turnsOf(messages: readonly Message[]): Turn[] {
  const turns: Turn[] = [];
  for (const message of messages) {
    const agent = message.role === 'user' ? 'customer' : 'agent';
    const last = turns.at(-1);
    if (last?.agent === agent) last.messages.push(message);
    else turns.push({ agent, messages: [message] });
  }
  return turns;
}

function countRecorded(messages: readonly Message[]): Counts {
  const count = (role: string): number =>
    messages.filter((message) => message.role === role).length;
  return {
    runs: 1,
    customer_calls: count('user'),
    agent_calls: count('assistant'),
    tool_calls: count('tool'),
  };
}

/** By session, which a pattern hands down to all that happens inside it. */
async function countTraced(file: string): Promise<Map<string, Counts>> {
  const found = new Map<string, Counts>();
  const assembler = new SpanAssembler({
    onEnd(span) {
      const name = span.session_id ?? `without a session: ${span.name}`;
      found.set(name, add(found.get(name) ?? NOTHING, countSpan(span)));
    },
  });
  for await (const event of readTraceEvents(file)) assembler.add(event);
  assembler.shutdown();
  return found;
}

const NOTHING: Counts = { runs: 0, customer_calls: 0, agent_calls: 0, tool_calls: 0 };

/** A span that lost its start, its end or its parent counts for nothing, and so shows up as missing. */
function countSpan({ kind, agent_name, incomplete, synthetic_start, orphan }: Span): Counts {
  if (incomplete || synthetic_start || orphan) return NOTHING;
  return {
    runs: Number(kind === 'pattern'),
    customer_calls: Number(kind === 'llm' && agent_name === 'customer'),
    agent_calls: Number(kind === 'llm' && agent_name === 'agent'),
    tool_calls: Number(kind === 'tool'),
  };
}

function add(one: Counts, other: Counts): Counts {
  return {
    runs: one.runs + other.runs,
    customer_calls: one.customer_calls + other.customer_calls,
    agent_calls: one.agent_calls + other.agent_calls,
    tool_calls: one.tool_calls + other.tool_calls,
  };
}

function formatTotal(counts: ReadonlyMap<string, Counts>): string {
  const { runs, customer_calls, agent_calls, tool_calls } = [...counts.values()].reduce(
    add,
    NOTHING,
  );
  return `${runs} runs, ${customer_calls} customer calls, ${agent_calls} agent calls, ${tool_calls} tool calls`;
}
