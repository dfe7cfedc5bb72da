import { encodeTraceEvent, escapeControls, messageOf, TraceEventBus } from '@pyagent-trace/core';
import { parseOptions } from '@pyagent-trace/core/schema';
import { createTracer, type Interceptor, type Tracer } from '@pyagent-trace/core/tracer';
import { createReplayer } from '../create-replayer.ts';
import { type DiffOptions, DiffOptionsSchema, diffRuns } from '../diff-traces.ts';
import { readRun, type Run } from '../diff/read-run.ts';
import { formatDiff } from '../format-diff.ts';
import { Recorder } from '../recorder.ts';
import { ReplayMissError } from '../replay-miss-error.ts';
import { openRun } from '../replay/load.ts';
import { subjectOf, type UnusedAnswer } from '../replay/replayer.ts';
import { fileOf, type MatcherContext, type MatcherResult, updateModeOf } from './context.ts';
import { isWritten, missing, type RunFile, runFile, saveRun } from './run-file.ts';

/** What the app's function gets. */
export interface ReplayedTrace {
  /** For what else the app attaches. */
  readonly bus: TraceEventBus;
  /** Answers from the file. */
  readonly tracer: Tracer;
}

const PLACE = 'toReplay';
const MAX_SHOWN = 5;
/** What a call cost depends on a price list, and on whether a cost tracker listens. */
const NEVER_COMPARED = ['cost_usd'];

/** `await expect(run).toReplay(file, { ignore })` */
export async function toReplay(
  context: MatcherContext,
  received: unknown,
  file: string | URL,
  options: DiffOptions = {},
): Promise<MatcherResult> {
  const { ignore = [] } = parseOptions(DiffOptionsSchema, options, PLACE);
  const target = runFile(fileOf(file, context, PLACE));
  const mode = updateModeOf(context);
  if (typeof received !== 'function')
    return { pass: context.isNot === true, message: () => `${PLACE}: expected a function to run` };
  const run = received as (trace: ReplayedTrace) => unknown;
  if (!target.exists && !isWritten(target, mode))
    return missing(PLACE, target, context.isNot === true);
  const problem = target.exists ? await replay(run, target, ignore) : 'it was never recorded';
  if (problem !== undefined && isWritten(target, mode)) return record(run, target);
  return {
    pass: problem === undefined,
    message: () =>
      problem === undefined
        ? `${PLACE}: expected a run that ${target.name} does not answer`
        : `${PLACE}: ${problem}\n\nIf that is meant, run the tests with -u: the run is recorded anew.`,
  };
}

/** Runs the app's function against the file. Says why it is not the run that was recorded. */
async function replay(
  run: (trace: ReplayedTrace) => unknown,
  { path, name }: RunFile,
  ignore: readonly string[],
): Promise<string | undefined> {
  const misses: unknown[] = [];
  const replayer = await createReplayer(path, { ignore, onUnused: () => {} });
  const noting: Interceptor = (operation, next) => {
    try {
      return replayer(operation, next);
    } catch (error) {
      // the app may go on without the answer
      if (ReplayMissError.isInstance(error)) misses.push(error);
      throw error;
    }
  };
  const { actual, error } = await observe(run, [noting]);
  const unused = replayer.unused();
  await replayer.close();
  if (misses.length > 0) return shown(misses.map(messageOf), '\n\n');
  const wasTraced = actual.events.some(({ event_type, payload }) =>
    event_type === 'error' ? payload['message'] === messageOf(error?.thrown) : false,
  );
  if (error !== undefined && !wasTraced)
    return `the run failed: ${escapeControls(messageOf(error.thrown))}`;
  const diff = diffRuns(await readRun(path, PLACE), actual, [...ignore, ...NEVER_COMPARED]);
  if (unused.length === 0 && diff.equal) return undefined;
  return [
    ...(unused.length > 0 ? [`${name} has answers that were not asked for: ${list(unused)}`] : []),
    ...(diff.equal ? [] : [`the run differs from ${name}`, formatDiff(diff)]),
  ].join('\n\n');
}

async function record(
  run: (trace: ReplayedTrace) => unknown,
  target: RunFile,
): Promise<MatcherResult> {
  const recorder = new Recorder();
  const { actual, error } = await observe(run, [], recorder);
  if (error !== undefined)
    return {
      pass: false,
      message: () =>
        `${PLACE}: the run failed, and was not recorded: ${escapeControls(messageOf(error.thrown))}`,
    };
  if (await isRecording(target)) await recorder.save(target.path);
  else await saveRun(target, actual);
  return { pass: true, message: () => `${PLACE}: ${target.name} was written` };
}

interface Observed {
  readonly actual: Run;
  readonly error: { readonly thrown: unknown } | undefined;
}

async function observe(
  run: (trace: ReplayedTrace) => unknown,
  interceptors: readonly Interceptor[],
  recorder?: Recorder,
): Promise<Observed> {
  const bus = new TraceEventBus();
  const lines: string[] = [];
  bus.subscribe((event) => void lines.push(`${encodeTraceEvent(event)}\n`));
  if (recorder !== undefined) bus.attach(recorder);
  let error: Observed['error'];
  try {
    await run({ bus, tracer: createTracer(bus, { interceptors }) });
  } catch (thrown) {
    error = { thrown };
  }
  await bus.flush();
  return { actual: await readRun(lines, PLACE), error };
}

/** A file keeps its format. A new one is a trace, which has the agents and patterns too. */
async function isRecording({ path, exists }: RunFile): Promise<boolean> {
  if (!exists) return false;
  try {
    for await (const item of openRun(path, {}, PLACE)) return 'messages_in' in item;
  } catch {
    // it is replaced
  }
  return false;
}

function list(unused: readonly UnusedAnswer[]): string {
  return shown(
    unused.map(({ kind, agent_name, line }) => `${subjectOf(kind, agent_name, {})} (line ${line})`),
    ', ',
  );
}

function shown(texts: readonly string[], separator: string): string {
  const rest = texts.length - MAX_SHOWN;
  return (
    texts.slice(0, MAX_SHOWN).join(separator) + (rest > 0 ? `${separator}and ${rest} more` : '')
  );
}
