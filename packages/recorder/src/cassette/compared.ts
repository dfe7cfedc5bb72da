import { canonicalJson } from '../canonical.ts';
import { type Difference, findDifferences } from '../difference.ts';
import {
  type IgnoredPath,
  isRecord,
  MESSAGE_KEYS,
  without,
  withoutIds,
} from '../replay/question.ts';
import type { Question } from './request.ts';

/** What of a question is compared: all but the ids and times in its messages, and what the app ignores. */
export function compared(question: Question, ignored: readonly IgnoredPath[]): Question {
  const body = isRecord(question.body)
    ? Object.fromEntries(
        Object.entries(question.body).map(([key, value]) => [
          key,
          MESSAGE_KEYS.has(key) ? withoutIds(value) : value,
        ]),
      )
    : question.body;
  return without(body === undefined ? question : { ...question, body }, ignored) as Question;
}

/** Where two questions differ in what they ask, not in how it is written. */
export function differencesOf(expected: Question, actual: Question): Difference[] {
  return findDifferences(expected, actual).filter(
    (difference) => canonicalJson([difference.expected]) !== canonicalJson([difference.actual]),
  );
}
