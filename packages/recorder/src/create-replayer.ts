import { fileURLToPath } from 'node:url';
import { escapeControls, TraceError } from '@pyagent-trace/core';
import { parseOptions } from '@pyagent-trace/core/schema';
import type { Interceptor } from '@pyagent-trace/core/tracer';
import * as z from 'zod';
import { RecordingFile } from './recording-file.ts';
import { REPLAY_MODES, type ReplayMode, resolveMode } from './replay-mode.ts';
import { ExchangeIndex } from './replay/exchange-index.ts';
import type { ReplayTiming } from './replay/given-answer.ts';
import { load, type ReplaySource } from './replay/load.ts';
import { inspectTarget, requireRecording } from './replay/recording-target.ts';
import { Replayer, type ReplayStats, subjectOf, type UnusedAnswer } from './replay/replayer.ts';

export interface CreateReplayerOptions {
  /**
   * `PYAGENT_TRACE_REPLAY` overrides it, and where `CI` is `true`, `auto` means `replay`.
   *
   * @default replay
   */
  readonly mode?: ReplayMode | undefined;
  /**
   * Places of a question that do not count, such as `messages_in.0.content` or `arguments.now`; `*` is any
   * key or index.
   */
  readonly ignore?: readonly string[] | undefined;
  /**
   * Whether the chunks of a stream come at the times they were recorded at, or at once.
   *
   * @default none
   */
  readonly timing?: ReplayTiming | undefined;
  /**
   * Hears, when the replay is closed, of recorded answers that nobody asked for.
   *
   * @default writes one line to `console.warn`
   */
  readonly onUnused?: ((unused: readonly UnusedAnswer[]) => void) | undefined;
}

/** An interceptor for `createTracer`, with an account of what it answered. */
export type Replay = Interceptor & {
  /** Recorded answers that nobody asked for, in the order of the file. */
  readonly unused: () => UnusedAnswer[];
  readonly stats: () => ReplayStats;
  /** Lets go of the source, and says which answers were not asked for. A question after it is an error. */
  readonly close: () => Promise<void>;
  readonly [Symbol.asyncDispose]: () => Promise<void>;
};

const OptionsSchema = z.strictObject({
  mode: z.enum(REPLAY_MODES).optional(),
  ignore: z.array(z.string().min(1)).default([]),
  timing: z.enum(['recorded', 'none']).default('none'),
  onUnused: z
    .custom<(unused: readonly UnusedAnswer[]) => void>(
      (value) => typeof value === 'function',
      'expected a function',
    )
    .optional(),
});

/**
 * Answers model calls, tools and routing decisions from a recorded run: from a trace file that
 * `JsonlExporter` wrote, or a recording. The app's functions do not run, so nothing reaches a network. What
 * is asked is found by its content, whatever the order; what is not found is a `ReplayMissError`.
 *
 * Reads the source once, and keeps up to 64 MiB of it in memory; more goes to a temporary file.
 *
 * @param source a path or file URL, chunks of such a file, or events or entries; with the modes `record`
 * and `auto` the path of a recording, which is made where it is missing
 * @throws {TraceError} `invalid_option`; `read_failed`; `not_replayable` where the file holds no results
 * @throws {TraceReadError} `invalid_line`, with file and line
 *
 * @example
 * ```ts
 * await using replay = await createReplayer('trace.jsonl');
 * const tracer = createTracer(bus, { interceptors: [replay] });
 * ```
 */
export async function createReplayer(
  source: ReplaySource,
  options: CreateReplayerOptions = {},
): Promise<Replay> {
  const {
    mode: asked,
    ignore,
    timing,
    onUnused,
  } = parseOptions(OptionsSchema, options, 'createReplayer');
  const mode = resolveMode(asked, 'createReplayer');
  const ignored = ignore.map((path) => path.split('.'));
  const name = nameOf(source);
  const index = new ExchangeIndex();
  let file: RecordingFile | undefined;
  let isThere = mode === 'replay';
  if (isThere && typeof source === 'string') requireRecording(source);
  if (mode === 'record' || mode === 'auto') {
    const path = pathOf(source, mode);
    isThere = inspectTarget(path, mode) && mode === 'auto';
    file = new RecordingFile(path, { anew: mode === 'record' });
  }
  const tornTail = isThere && (await loaded(source, index, ignored));
  const replayer = new Replayer({
    source: name,
    mode,
    index,
    ignored,
    timing,
    file,
    tornTail,
    onUnused: onUnused ?? ((unused) => console.warn(describeUnused(name, unused))),
  });
  const { intercept, unused, stats, close } = replayer;
  return Object.assign(intercept, { unused, stats, close, [Symbol.asyncDispose]: close });
}

/** A source that is wrong leaves no temporary file open. */
async function loaded(...[source, index, ignored]: Parameters<typeof load>): Promise<boolean> {
  try {
    return await load(source, index, ignored);
  } catch (error) {
    index.close();
    throw error;
  }
}

function nameOf(source: unknown): string {
  if (source instanceof URL)
    return source.protocol === 'file:' ? fileURLToPath(source) : source.href;
  return typeof source === 'string' ? source : 'stream';
}

function pathOf(source: unknown, mode: ReplayMode): string {
  if (typeof source === 'string' || (source instanceof URL && source.protocol === 'file:'))
    return nameOf(source);
  throw new TraceError(
    'invalid_option',
    `createReplayer: mode "${mode}" writes recordings: expected a path or a file URL`,
  );
}

const MAX_SHOWN = 5;

function describeUnused(source: string, unused: readonly UnusedAnswer[]): string {
  const shown = unused
    .slice(0, MAX_SHOWN)
    .map(({ kind, agent_name, line }) => `${subjectOf(kind, agent_name, {})} (line ${line})`);
  const rest = unused.length - shown.length;
  const more = rest > 0 ? ` and ${rest} more` : '';
  const [noun, verb] = unused.length === 1 ? ['answer', 'was'] : ['answers', 'were'];
  return escapeControls(
    `${source}: ${unused.length} recorded ${noun} ${verb} not asked for: ${shown.join(', ')}${more}`,
  );
}
