import type { Span } from '@pyagent-trace/core/spans';
import { cut, MAX_CHARS } from '../content.ts';
import { isNumber, isText } from './values.ts';

/** Why a span failed. */
export interface Failure {
  /** `error.type`: a class, a code, or `_OTHER`. */
  readonly type: string;
  readonly message: string;
}

/**
 * Why a span failed; `undefined` if it did not.
 *
 * @param inherited of a child: an error is said once, where it was first seen, and thrown on from there
 */
export function failureOf(span: Span, inherited: Failure | undefined): Failure | undefined {
  const { status, incomplete, kind, annotations } = span;
  if (status === 'error') {
    const error = annotations.findLast(({ event_type }) => event_type === 'error')?.payload;
    const { message } = error ?? {};
    if (error !== undefined)
      return {
        type: errorType(error),
        message: isText(message) ? cut(message, MAX_CHARS) : errorType(error),
      };
    return inherited ?? { type: '_OTHER', message: `the ${kind} ended with status error` };
  }
  return incomplete ? { type: 'incomplete', message: `the ${kind} did not end` } : undefined;
}

/** The low-cardinality name of an error. */
export function errorType({ error_type, code }: Span['attributes']): string {
  if (isText(error_type)) return cut(error_type, MAX_CHARS);
  return isText(code) || isNumber(code) ? cut(String(code), MAX_CHARS) : '_OTHER';
}
