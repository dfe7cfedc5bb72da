import { messageOf } from './errors.ts';
import type { TraceEvent } from './event.ts';

/** Hears of an error and the event it is about. What it throws itself is ignored. */
export type ErrorHandler = (error: unknown, event: TraceEvent) => void;

/** Distinct lines that are printed; a message with a number in it must not fill the terminal. */
const MAX_LINES = 100;

/**
 * Reports through `onError`, or prints each place and message once. Nothing it calls can throw
 * through it.
 */
export function createReporter(
  onError: ErrorHandler | undefined,
): (error: unknown, event: TraceEvent, place: string) => void {
  const printed = new Set<string>();
  return (error, event, place) => {
    try {
      if (onError !== undefined) {
        onError(error, event);
        return;
      }
      const line = `[pyagent-trace] ${place}: ${messageOf(error)}`;
      if (printed.has(line) || printed.size > MAX_LINES) return;
      printed.add(line);
      const text =
        printed.size > MAX_LINES ? '[pyagent-trace] further errors are only counted' : line;
      console.error(oneLine(text));
    } catch {
      // an error handler that fails has nobody left to tell
    }
  };
}

/** Control characters shown, not executed: the text may come from a model. */
function oneLine(text: string): string {
  return text.replaceAll(
    // eslint-disable-next-line no-control-regex
    /[\u0000-\u001f\u007f-\u009f\u2028\u2029\u202a-\u202e\u2066-\u2069]/g,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}
