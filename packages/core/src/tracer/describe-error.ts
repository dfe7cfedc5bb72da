import { messageOf } from '../errors.ts';

/** The payload of an `error` event. Never throws: an error may have getters that do. */
export function describeError(error: unknown): Record<string, unknown> {
  const name = read(error, 'name');
  const code = read(error, 'code');
  const stack = read(error, 'stack');
  return {
    message: messageOf(error),
    error_type: typeof name === 'string' ? name : typeof error,
    ...((typeof code === 'string' || typeof code === 'number') && { code }),
    ...(typeof stack === 'string' && { stack }),
  };
}

/** Whether an error says that somebody asked for the end of it. */
export function isAbort(error: unknown, signal: AbortSignal | undefined): boolean {
  return (
    read(error, 'name') === 'AbortError' || (signal?.aborted === true && error === signal.reason)
  );
}

/** A property of anything; `undefined` where it cannot be read. */
export function read(value: unknown, key: string): unknown {
  try {
    return (value as Record<string, unknown> | null | undefined)?.[key];
  } catch {
    return undefined;
  }
}
