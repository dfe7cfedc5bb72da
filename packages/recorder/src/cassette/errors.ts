import { messageOf } from '@pyagent-trace/core';
import type { Censor } from './censor.ts';
import type { ThrownError } from './exchange.ts';

const MAX_CAUSES = 5;

/** What of an error a replay needs to throw one like it. */
export function describeError(error: unknown, censor: Censor, depth = 0): ThrownError {
  const { name, code, cause } = (error instanceof Error ? error : {}) as NodeJS.ErrnoException;
  return {
    message: censor.text(messageOf(error)),
    error_type: name ?? typeof error,
    ...(typeof code === 'string' && { code: censor.text(code) }),
    ...(typeof code === 'number' && { code }),
    ...(cause !== undefined &&
      depth < MAX_CAUSES && { cause: describeError(cause, censor, depth + 1) }),
  };
}

/** An error as it was recorded. Its innermost cause says where it is from. */
export function toError({ message, error_type, code, cause }: ThrownError, place: string): Error {
  if (error_type === 'AbortError' || error_type === 'TimeoutError')
    return new DOMException(`${message} (recorded, ${place})`, error_type);
  if (cause === undefined) message += ` (recorded, ${place})`;
  const options = cause === undefined ? {} : { cause: toError(cause, place) };
  const error =
    error_type === 'TypeError' ? new TypeError(message, options) : new Error(message, options);
  if (error.name !== error_type) Object.defineProperty(error, 'name', { value: error_type });
  return code === undefined ? error : Object.assign(error, { code });
}
