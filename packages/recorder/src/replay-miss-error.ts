import { escapeControls, TraceError } from '@pyagent-trace/core';
import { type Difference, formatDifference } from './difference.ts';

export interface ReplayMissDetails {
  /** The recording that was asked. */
  readonly source: string;
  /** What was asked, in a few words: `llm_call of agent "bull"`, `POST /v1/chat/completions`. */
  readonly subject: string;
  /** What was asked, as it is compared. */
  readonly asked: unknown;
  /**
   * - `unknown`: nothing recorded equals the question.
   * - `used`: every equal one has been given as an answer already.
   */
  readonly reason: 'unknown' | 'used';
  /** The recorded question that is most like it; `undefined` where none is of its kind. */
  readonly nearest?: { readonly asked: unknown; readonly line: number } | undefined;
  /** From the nearest question to this one. */
  readonly differences: readonly Difference[];
}

const CODE = 'replay_miss';
const MAX_SHOWN_DIFFERENCES = 10;

/** A replay was asked something that the recording does not answer. Its code is `replay_miss`. */
export class ReplayMissError extends TraceError implements ReplayMissDetails {
  override readonly name = 'ReplayMissError';
  readonly source: string;
  readonly subject: string;
  readonly asked: unknown;
  readonly reason: ReplayMissDetails['reason'];
  readonly nearest: ReplayMissDetails['nearest'];
  readonly differences: readonly Difference[];

  constructor(details: ReplayMissDetails) {
    super(CODE, describe(details));
    this.source = details.source;
    this.subject = details.subject;
    this.asked = details.asked;
    this.reason = details.reason;
    this.nearest = details.nearest;
    this.differences = details.differences;
  }

  /** Works across copies and versions of this package, where `instanceof` does not. */
  static override isInstance(value: unknown): value is ReplayMissError {
    return TraceError.isInstance(value) && value.code === CODE;
  }
}

function describe({ source, subject, reason, nearest, differences }: ReplayMissDetails): string {
  const place = escapeControls(`${source}: ${subject}`);
  if (reason === 'used') return `${place}: every recorded answer to it has been used`;
  if (nearest === undefined) return `${place}: not recorded, and nothing of its kind is`;
  const shown = differences.slice(0, MAX_SHOWN_DIFFERENCES).map(formatDifference);
  const rest = differences.length - shown.length;
  return [
    `${place}: not recorded; the nearest is line ${nearest.line} [-recorded-]{+asked+}`,
    ...shown,
    ...(rest > 0 ? [`and ${rest} more`] : []),
  ].join('\n  ');
}
