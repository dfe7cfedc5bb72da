import { escapeControls, TraceError } from '@pyagent-trace/core';
import type { InterceptedOperation, Interceptor } from '@pyagent-trace/core/tracer';
import { canonicalJson } from '../canonical.ts';
import { findDifferences } from '../difference.ts';
import { describeThrown, encodeEntry, entryOfCall, plainPayload } from '../entry-of.ts';
import type { RecordingFile } from '../recording-file.ts';
import { ReplayMissError } from '../replay-miss-error.ts';
import type { ReplayMode } from '../replay-mode.ts';
import type { ExchangeKind } from './exchange.ts';
import type { Asked, ExchangeIndex, Recorded } from './exchange-index.ts';
import { giveAnswer, type ReplayTiming } from './given-answer.ts';
import { comparable, type IgnoredPath, questionOf } from './question.ts';

/** A recorded answer that nobody asked for. */
export interface UnusedAnswer {
  readonly kind: ExchangeKind;
  /** Empty outside of agents. */
  readonly agent_name: string;
  /** Of the question, from 1. */
  readonly line: number;
}

/** Counts of calls: model calls, tools and routing decisions. */
export interface ReplayStats {
  /** Answered from the source. */
  readonly replayed: number;
  /** Asked, and not in the source; an error each, save in mode `auto`. */
  readonly missed: number;
  /** Done, and written to the recording. */
  readonly recorded: number;
  /** Done, and not written: the disk refused. */
  readonly failed: number;
  /** Recorded answers that nobody asked for. */
  readonly unused: number;
  /** The source has half a line, as a kill leaves it at the end of what was written: what it held is missing. */
  readonly tornTail: boolean;
}

export interface ReplayerOptions {
  /** For messages. */
  readonly source: string;
  readonly mode: ReplayMode;
  readonly index: ExchangeIndex;
  readonly ignored: readonly IgnoredPath[];
  readonly timing: ReplayTiming;
  readonly onUnused: (unused: readonly UnusedAnswer[]) => void;
  /** Where what is done is recorded. */
  readonly file: RecordingFile | undefined;
  readonly tornTail: boolean;
}

/** Answers operations from an index, and records what is done. */
export class Replayer {
  readonly #options: ReplayerOptions;
  #replayed = 0;
  #missed = 0;
  #closed = false;
  /** The spans of calls that are done and recorded. */
  readonly #recording = new Set<string>();

  constructor(options: ReplayerOptions) {
    this.#options = options;
  }

  readonly intercept: Interceptor = (operation, next) => {
    const { mode, index, ignored, source } = this.#options;
    if (this.#closed && mode !== 'live')
      throw new TraceError('replayer_closed', `${source}: the replay is closed`);
    if (mode === 'live') return next();
    if (mode === 'record') return this.#record(operation, next);
    const { kind, agent_name, pattern_type, session_id, payload } = operation;
    const question = questionOf(agent_name, payload, ignored);
    const asked: Asked = { kind, question, agent_name, pattern_type, session_id };
    const found = index.take(asked);
    if (found !== undefined && found !== 'used') return this.#give(operation, found);
    this.#missed += 1;
    if (mode === 'auto') return this.#record(operation, next);
    throw this.#miss(asked, found ?? 'unknown');
  };

  readonly unused = (): UnusedAnswer[] =>
    this.#options.index.unused().map(({ kind, agent_name, line }) => ({ kind, agent_name, line }));

  readonly stats = (): ReplayStats => {
    const { index, file, tornTail } = this.#options;
    const { written = 0, pending = 0, lost = 0 } = file?.stats() ?? {};
    return {
      replayed: this.#replayed,
      missed: this.#missed,
      recorded: written,
      failed: pending + lost,
      unused: index.unused().length,
      tornTail,
    };
  };

  readonly close = async (): Promise<void> => {
    if (this.#closed) return;
    this.#closed = true;
    const { index, file, onUnused } = this.#options;
    file?.close();
    const unused = this.unused();
    index.close();
    if (unused.length > 0) onUnused(unused);
  };

  #give(operation: InterceptedOperation, recorded: Recorded): unknown {
    const { index, timing } = this.#options;
    const answer = index.answerOf(recorded);
    if (answer.problem !== undefined) throw this.#notReplayable(recorded, answer.problem);
    this.#replayed += 1;
    return giveAnswer(operation, answer, {
      timing,
      leftOff: () => this.#notReplayable(recorded, 'nobody read on when it was recorded'),
    });
  }

  #notReplayable({ kind, agent_name, line }: Recorded, problem: string): TraceError {
    return new TraceError(
      'not_replayable',
      `${escapeControls(`${this.#options.source}:${line}: ${subjectOf(kind, agent_name, {})}`)} cannot be replayed: ${escapeControls(problem)}`,
    );
  }

  #miss(asked: Asked, reason: 'unknown' | 'used'): ReplayMissError {
    const { index, source } = this.#options;
    const { kind, agent_name, question } = asked;
    const nearest = reason === 'unknown' ? index.nearest(asked) : undefined;
    const expected =
      nearest &&
      (comparable(
        nearest.question,
        nearest.recorded.compared,
        Object.keys(question).filter((key) => Object.hasOwn(nearest.question, key)),
        nearest.question['model'] !== undefined,
      ) ??
        nearest.question);
    const actual =
      nearest?.recorded.compared === 'prompt'
        ? comparable(question, 'prompt', [], nearest.question['model'] !== undefined)
        : question;
    return new ReplayMissError({
      source,
      subject: subjectOf(kind, agent_name, question),
      asked: question,
      reason,
      nearest: nearest && { asked: nearest.question, line: nearest.recorded.line },
      differences:
        nearest === undefined
          ? []
          : findDifferences(expected, actual).filter(
              (difference) =>
                canonicalJson([difference.expected]) !== canonicalJson([difference.actual]),
            ),
    });
  }

  #record(operation: InterceptedOperation, next: () => unknown): unknown {
    const { file } = this.#options;
    const { kind, trace_id, span_id, parent_span_ids, agent_name, pattern_type } = operation;
    const { session_id, payload } = operation;
    // a decision is no span: its ids are those of the operation around it
    const isSpan = kind !== 'routing_decision';
    const around = isSpan ? parent_span_ids : [span_id, ...parent_span_ids];
    const outer_span_id = around.find((id) => this.#recording.has(id));
    if (isSpan) this.#recording.add(span_id);
    // as it is now: the app goes on with its lists
    const asked = plainPayload(session_id === '' ? payload : { ...payload, session_id });
    const startedMs = performance.timeOrigin + performance.now();
    operation.onEnd((end, error) => {
      if (isSpan) this.#recording.delete(span_id);
      // not now: others heard of the end before, and the start is reckoned from this
      const endedMs = performance.timeOrigin + performance.now();
      const { status, duration_ms = endedMs - startedMs } = end;
      const isThrown = status === 'error' || (status !== 'ok' && error !== undefined);
      const entry = entryOfCall({
        kind,
        timestamp: (startedMs + Number(duration_ms)) / 1000,
        agent_name,
        pattern_type,
        trace_id,
        span_id,
        parent_span_id: parent_span_ids[0],
        ...(outer_span_id !== around[0] && { outer_span_id }),
        asked,
        answered: plainPayload({ ...end, duration_ms }),
        error: isThrown ? describeThrown(error) : undefined,
      });
      file?.append(encodeEntry(entry));
    });
    return next();
  }
}

export function subjectOf(
  kind: ExchangeKind,
  agent_name: string,
  { tool_name }: Readonly<Record<string, unknown>>,
): string {
  const what = typeof tool_name === 'string' ? `${kind} ${quoted(tool_name)}` : kind;
  return agent_name === '' ? what : `${what} of agent ${quoted(agent_name)}`;
}

/** A name is the app's, or a model's. */
const MAX_NAME = 100;

function quoted(name: string): string {
  return JSON.stringify(name.length > MAX_NAME ? `${name.slice(0, MAX_NAME)}…` : name);
}
