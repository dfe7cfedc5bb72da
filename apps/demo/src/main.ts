// Traces a debate of three agents to the terminal and to a file, then says what the file holds.
import { escapeControls, type FlushReport, TraceError, TraceEventBus } from '@pyagent-trace/core';
import { redact } from '@pyagent-trace/core/processors';
import { createTracer } from '@pyagent-trace/core/tracer';
import { BudgetExceededError } from '@pyagent-trace/cost';
import { ConsoleExporter } from '@pyagent-trace/exporter-console';
import { JsonlExporter } from '@pyagent-trace/exporter-jsonl';
import { checkConversations } from './conversations.ts';
import { type Costs, watchCosts } from './costs.ts';
import { Debate } from './debate.ts';
import { DemoError } from './demo-error.ts';
import { type Flags, readFlags, USAGE } from './flags.ts';
import { createLiveModel } from './live-model.ts';
import { type Model, ModelError } from './model.ts';
import { CONVERSATIONS } from './read-conversations.ts';
import { createScriptedModel } from './scripted-model.ts';
import { formatSummary, summarise } from './summary.ts';
import { openTape } from './tape.ts';
import { newTraceFile, README, shown, typed } from './trace-file.ts';

const QUESTION = 'Should the town of Westerhaven build a 20 MWh battery?';

async function main(args: readonly string[]): Promise<void> {
  const flags = readFlags(args);
  const { help, conversations, path } = flags;
  if (help) console.log(USAGE);
  else if (process.env['PYAGENT_TRACE_DISABLED'] === '1')
    console.log('Tracing is off (PYAGENT_TRACE_DISABLED=1): there is nothing to show.');
  else if (conversations) await checkConversations(path ? typed(path) : CONVERSATIONS);
  else await traceDebate(chooseModel(flags), flags);
}

/** Of a model that is not asked, all that counts is what it is called: no key is needed. */
function chooseModel({ live, replay }: Flags): Model {
  if (!live) return createScriptedModel();
  return createLiveModel(replay ? { OPENAI_API_KEY: 'none', ...process.env } : process.env);
}

async function traceDebate(model: Model, flags: Flags): Promise<void> {
  const { otel, budget } = flags;
  const tape = await openTape(flags);
  const file = newTraceFile('demo');
  console.log(`Writing ${shown(file)}\n`);

  // One bus; what is attached to it hears every event, without the keys and passwords that may be in it.
  // The traced code sees only the tracer.
  const bus = new TraceEventBus({ processors: [redact()] });
  bus.attach(new ConsoleExporter({ format: 'pretty' }));
  bus.attach(new JsonlExporter(file));
  // Loaded when asked for: the SDK takes longer than the rest of the demo.
  const backend = otel && (await (await import('./open-telemetry.ts')).startOpenTelemetry());
  if (backend) bus.attach(backend.exporter);
  const costs = watchCosts(bus, budget);
  // what is replayed costs nothing: the budget is asked about what is left
  const tracer = createTracer(bus, { interceptors: [...tape.interceptors, ...costs.interceptors] });

  try {
    await new Debate(tracer, model).run(QUESTION);
  } finally {
    // Failed or not: the exporters deliver what they hold, and say what became of each event.
    const receipts = await bus.shutdown();
    console.log(`\nReceipts\n${receipts.map(formatReceipt).join('\n')}`);
    if (backend) console.log(`\n${await backend.end()}`);
    const account = await tape.end();
    if (account !== undefined) console.log(`\n${account}`);
    await report(file, costs);
  }
}

async function report(file: string, costs: Costs): Promise<void> {
  const summary = await summarise(file);
  const name = shown(file);
  console.log(`
Read back from ${name}
${formatSummary(summary)}

Verdict
${wrap(escapeControls(summary.output.replaceAll(/\s+/g, ' ')) || 'none')}

Cost
${costs.format().replaceAll(/^(?=.)/gm, '  ')}

Next
  head -1 ${name}
      the first event, as the file has it
  npm run demo -- --help
      what else the demo can show
  ${shown(README)}
      how the debate is traced`);
}

function formatReceipt(receipt: FlushReport): string {
  const { exporter, delivered, dropped, failed, pending, error } = receipt;
  const counts = `${delivered} delivered, ${dropped} dropped, ${failed} failed, ${pending} pending`;
  return `  ${exporter.padEnd(12)} ${counts}${error === undefined ? '' : `: ${error}`}`;
}

function wrap(text: string): string {
  return text.replaceAll(/(\S.{0,75})(?:\s+|$)/g, '  $1\n').trimEnd();
}

// A reader that went away, as in `| head`, ends the printing, not the run: the file is still written.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code !== 'EPIPE') throw error;
});

try {
  await main(process.argv.slice(2));
} catch (error) {
  process.exitCode = 1;
  // What the person can put right is one line; anything else is a bug of the demo, with its stack.
  if (error instanceof DemoError) console.error(error.message);
  else if (error instanceof ModelError)
    console.error(`The debate failed: ${escapeControls(error.message)}`);
  else if (BudgetExceededError.isInstance(error))
    console.error(`Stopped by the ${escapeControls(error.message)}`);
  else if (TraceError.isInstance(error)) console.error(error.message);
  else throw error;
}
