import { escapeControls } from '../escape.ts';
import { messageOf } from '../errors.ts';
import type { TraceEvent } from '../event.ts';
import { ignoreRejection, isThenable } from './promises.ts';

/** Hears of an error and the event it is about. What it throws itself is ignored. */
export type ErrorHandler = (error: unknown, event: TraceEvent) => void;

/**
 * Tells of an error at a place, such as a subscriber's name. `source` tells two places of one name
 * apart; the name is taken when it is absent.
 */
export type Reporter = (error: unknown, event: TraceEvent, place: string, source?: string) => void;

/** Distinct lines that are printed; a message with a number in it must not fill the terminal. */
const MAX_LINES = 100;
/** Characters of a line; a message may hold a whole prompt. */
const MAX_LINE_LENGTH = 1_000;

/**
 * Reports through `onError`, or prints each place and message once. Nothing it calls can throw
 * through it.
 */
export function createReporter(onError: ErrorHandler | undefined): Reporter {
  const printed = new Set<string>();
  return (error, event, place, source = place) => {
    try {
      if (onError !== undefined) {
        const answer: unknown = onError(error, event);
        if (isThenable(answer)) void ignoreRejection(answer);
        return;
      }
      if (printed.size > MAX_LINES) return;
      const line = escapeControls(
        `[pyagent-trace] ${place}: ${messageOf(error)}`.slice(0, MAX_LINE_LENGTH),
      );
      const once = `${source} ${line}`;
      if (printed.has(once)) return;
      printed.add(once);
      console.error(
        printed.size > MAX_LINES ? '[pyagent-trace] further errors are only counted' : line,
      );
    } catch {
      // an error handler that fails has nobody left to tell
    }
  };
}
