import * as z from 'zod';
import { monotonicMs } from '../clock.ts';
import { TraceError } from '../errors.ts';
import { createTraceEvent, EVENT_TYPES, type TraceEvent, type TracePayload } from '../event.ts';
import { parseOptions } from '../schema/options.ts';
import { plainPayload } from './plain-payload.ts';
import { withoutPayload } from './without-payload.ts';
import { redactPath } from './redact-path.ts';
import { TreeRedactor } from './redact-tree.ts';
import { applyRule, applyRules, EMAILS, rule, RULE_GROUPS } from './text-rules.ts';

export interface RedactOptions {
  /**
   * What else to hide, by place: keys from the payload on, joined by dots, `*` for any key or index, such
   * as one with a dot: `metadata.customer`, `messages_in.*.content`.
   *
   * @default []
   */
  readonly paths?: readonly string[];
  /**
   * What else to hide, by its look: the name of a rule, and a regular expression that finds it in a text
   * or a function that returns the text without it. Tried on every text of an event, for 100 ms in all.
   *
   * @default {}
   */
  readonly patterns?: Readonly<Record<string, RegExp | ((text: string) => string)>>;
  /**
   * Whether e-mail addresses are hidden.
   *
   * @default false
   */
  readonly emails?: boolean;
}

/** Counted since the processor was made. */
export interface RedactStats {
  readonly events: number;
  /** Of these, events in which something was hidden. */
  readonly redacted: number;
  /** Of these, events whose payload was left out, since a pattern failed on it. */
  readonly failed: number;
}

/** A processor that counts. */
export interface Redactor {
  (event: TraceEvent): TraceEvent;
  /**
   * What is no event: a text, or data as `JSON.parse` returns it, without its secrets. The same value, if
   * there are none. `paths` lead from an event's payload and are not looked for. Not counted.
   *
   * @throws what a pattern throws
   */
  data(value: unknown): unknown;
  stats(): RedactStats;
}

const MAX_SHOWN_CHARACTERS = 60;

/** A path that leads nowhere would hide nothing, and say nothing of it. */
const PathSchema = z
  .string()
  .refine((path) => /^(?!payload(?:\.|$))[^.]+(?:\.[^.]+)*$/.test(path), {
    error: ({ input }) =>
      `expected keys joined by dots, from the payload on, got ${JSON.stringify(String(input).slice(0, MAX_SHOWN_CHARACTERS))}`,
  });

const OptionsSchema = z.strictObject({
  paths: z.array(PathSchema).default([]),
  patterns: z
    .record(
      z.string().regex(/^[a-z]\w*$/, 'expected a name such as customer_id'),
      z
        .custom<RegExp | ((text: string) => string)>(
          (pattern) => pattern instanceof RegExp || typeof pattern === 'function',
          'expected a RegExp or a function',
        )
        .refine(
          (pattern) => !(pattern instanceof RegExp) || ''.search(pattern) === -1,
          'matches an empty text, and so every text',
        ),
    )
    .default({}),
  emails: z.boolean().default(false),
});

/** For the app's own patterns on one event. The rules of this package take linear time. */
const MAX_PATTERNS_MS = 100;

const KNOWN_TYPES: ReadonlySet<string> = new Set(EVENT_TYPES);

/**
 * Hides secrets: keys of providers, tokens, passwords and private keys wherever they are in an event, and
 * what is named like a secret. In their place stands the rule that found them: `[REDACTED openai_key]`.
 *
 * An event with nothing to hide passes as it is; otherwise a copy goes on, and the app's objects stay as
 * they are. A payload that is no plain data (it holds an Error, a Map, a Date) goes on as the data it is
 * written as: nothing goes on that was not looked at. When a pattern fails, the payload is left out.
 *
 * @throws {TraceError} `invalid_option`
 *
 * @example
 * ```ts
 * const bus = new TraceEventBus({ processors: [redact()] });
 * ```
 */
export function redact(options: RedactOptions = {}): Redactor {
  const { paths, patterns, emails } = parseOptions(OptionsSchema, options, 'redact');
  const groups = emails ? [...RULE_GROUPS, EMAILS] : RULE_GROUPS;
  const places = paths.map((path) => path.split('.'));
  const ownPatterns = Object.entries(patterns).map(([name, pattern]) => toFunction(name, pattern));
  const counts = { events: 0, redacted: 0, failed: 0 };
  let endsAtMs = 0;

  const tree = new TreeRedactor((text) => {
    let cleaned = applyRules(groups, text);
    for (const pattern of ownPatterns) {
      if (monotonicMs() > endsAtMs)
        throw new TraceError('invalid_option', `redact: patterns took over ${MAX_PATTERNS_MS} ms`);
      cleaned = pattern(cleaned);
    }
    return cleaned;
  });

  const nameOf = (name: string): string => (KNOWN_TYPES.has(name) ? name : tree.name(name));

  const data = (value: unknown): unknown => {
    if (ownPatterns.length > 0) endsAtMs = monotonicMs() + MAX_PATTERNS_MS;
    return tree.redact(value);
  };

  const redactEvent = (event: TraceEvent): TraceEvent => {
    counts.events += 1;
    try {
      const plain = plainPayload(event.payload);
      let payload = data(plain);
      const event_type = nameOf(event.event_type);
      const agent_name = nameOf(event.agent_name);
      const pattern_type = nameOf(event.pattern_type);
      for (const place of places) payload = redactPath(payload, place);

      const hidden =
        payload !== plain ||
        event_type !== event.event_type ||
        agent_name !== event.agent_name ||
        pattern_type !== event.pattern_type;
      if (hidden) counts.redacted += 1;
      else if (plain === event.payload) return event;
      return createTraceEvent({
        timestamp: event.timestamp,
        event_type,
        agent_name,
        pattern_type,
        payload: payload as TracePayload,
      });
    } catch {
      counts.redacted += 1;
      counts.failed += 1;
      return withoutPayload(event, nameOf);
    }
  };
  return Object.assign(redactEvent, { data, stats: () => ({ ...counts }) });
}

/** A pattern of the app. What is thrown in it makes the processor leave out the payload. */
function toFunction(
  name: string,
  pattern: RegExp | ((text: string) => string),
): (text: string) => string {
  if (pattern instanceof RegExp) {
    const { source, flags } = pattern;
    const own = rule(name, new RegExp(source, `${flags.replaceAll(/[gy]/g, '')}g`));
    return (text) => applyRule(own, text);
  }
  return (text) => {
    const cleaned: unknown = pattern(text);
    if (typeof cleaned === 'string') return cleaned;
    throw new TraceError('invalid_option', `redact: patterns.${name}: returned no text`);
  };
}
