import type { TracePayload } from '@pyagent-trace/core';
import type { JsonlFormat } from '@pyagent-trace/core/read';
import * as z from 'zod';

/** The entries that recorders write. Unknown names are legal. */
export type RecordEntryType =
  | 'pattern_start'
  | 'pattern_end'
  | 'llm_call'
  | 'tool_end'
  | 'routing_decision'
  | 'message'
  | (string & {});

/** A message that a model was sent. Keys beside these are the provider's own. */
export interface RecordMessage {
  readonly role: string;
  /** A text, or the provider's parts. */
  readonly content?: unknown;
  /** Empty when nobody is named. */
  readonly name: string;
  readonly [key: string]: unknown;
}

/** A message as an app has it. */
export interface RecordMessageInit {
  readonly role: string;
  readonly content?: unknown;
  readonly name?: string | null | undefined;
  readonly [key: string]: unknown;
}

/** A line of a recording: exactly these six keys, which Python's `RecordEntry(**line)` takes. */
export interface RecordEntry {
  /** Unix seconds with a fraction; of a call its end. */
  readonly timestamp: number;
  readonly event_type: RecordEntryType;
  /** Empty when no agent is involved. */
  readonly agent_name: string;
  readonly messages_in: readonly RecordMessage[];
  /** The text of the answer; empty where there is none. */
  readonly response: string;
  /** Everything else. `spec/README.md` lists the known keys. */
  readonly metadata: TracePayload;
}

/** In the order in which they are written. */
const ENTRY_KEYS = [
  'timestamp',
  'event_type',
  'agent_name',
  'messages_in',
  'response',
  'metadata',
] as const satisfies readonly (keyof RecordEntry)[];

/** No entry is from the year 5138: a larger number is milliseconds. */
const MAX_UNIX_SECONDS = 1e11;

const Text = z.string(expected('a string'));
const Data = z.custom<TracePayload>(isData, expected('an object'));

/** What an entry needs. Python writes an answer or a name that is `None` as null. */
const Shape = z.object(
  {
    timestamp: z
      .number(expected('Unix seconds'))
      .nonnegative(expected('Unix seconds'))
      .max(MAX_UNIX_SECONDS, 'expected Unix seconds, got milliseconds'),
    event_type: z.string(expected('a name')).min(1, expected('a name')),
    agent_name: Text,
    messages_in: z.array(
      z.object({ role: Text, name: Text.nullish() }, expected('an object')),
      expected('an array'),
    ),
    response: Text.nullable(),
    metadata: Data,
  },
  expected('an object'),
);

/**
 * One entry of a recording, as it comes from a file or from code you do not trust.
 *
 * Exactly the six keys. The output is frozen, has them in order, and its metadata and messages are the
 * value's own, save for a message without a name, which gets an empty one.
 */
export const RecordEntrySchema: z.ZodType<RecordEntry> = z.unknown().transform((value, context) => {
  const problems = isEvent(value)
    ? [{ path: [], message: 'an event of a trace, not an entry of a recording' }]
    : [...(Shape.safeParse(value).error?.issues ?? []), ...unknownKeys(value)];
  for (const { path, message } of problems) context.addIssue({ code: 'custom', path, message });
  return problems.length === 0 ? complete(value as RecordEntry) : z.NEVER;
});

/** The lines that `readRecording` reads. */
export const RECORD_ENTRY_FORMAT: JsonlFormat<RecordEntry> = {
  // a line with a payload is an event of a trace, and refused
  keys: new Set([...ENTRY_KEYS, 'payload']),
  adopt: adoptEntry,
  schema: RecordEntrySchema,
  reason: 'invalid_entry',
};

/** A message as it is recorded: the name third and never missing, as in Python; then the provider's own keys. */
export function namedMessage(message: RecordMessageInit): RecordMessage {
  const { role, content, name, ...rest } = message;
  return { role, ...(content !== undefined && { content }), name: name ?? '', ...rest };
}

/**
 * The value itself, frozen, if it has the six keys in order and they are right, as nearly every line has.
 * By hand, since the schema leaves so much garbage that reading takes 100 MiB more memory.
 */
function adoptEntry(value: unknown): RecordEntry | undefined {
  if (!isData(value)) return undefined;
  let index = 0;
  for (const key in value) if (key !== ENTRY_KEYS[index++]) return undefined;
  const { timestamp, event_type, agent_name, messages_in, response, metadata } = value;
  const isRight =
    index === ENTRY_KEYS.length &&
    typeof timestamp === 'number' &&
    timestamp >= 0 &&
    timestamp <= MAX_UNIX_SECONDS &&
    typeof event_type === 'string' &&
    event_type !== '' &&
    typeof agent_name === 'string' &&
    typeof response === 'string' &&
    Array.isArray(messages_in) &&
    messages_in.every(isNamed) &&
    isData(metadata);
  return isRight ? (Object.freeze(value) as unknown as RecordEntry) : undefined;
}

function isNamed(message: unknown): boolean {
  return (
    isData(message) && typeof message['role'] === 'string' && typeof message['name'] === 'string'
  );
}

function complete({ timestamp, event_type, agent_name, ...rest }: RecordEntry): RecordEntry {
  const { messages_in, response, metadata } = rest as RecordEntry & { response: string | null };
  return Object.freeze({
    timestamp,
    event_type,
    agent_name,
    messages_in: messages_in.map((message) =>
      typeof message.name === 'string' ? message : namedMessage(message),
    ),
    response: response ?? '',
    metadata,
  });
}

function unknownKeys(value: unknown): { path: string[]; message: string }[] {
  const known: readonly string[] = ENTRY_KEYS;
  return Object.keys(isData(value) ? value : {})
    .filter((key) => !known.includes(key))
    .map((key) => ({ path: [key], message: 'unknown key; what is new goes into metadata' }));
}

function isEvent(value: unknown): boolean {
  return isData(value) && Object.hasOwn(value, 'payload');
}

export function isData(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** Words for what a schema refuses: what it expected, and what it got. */
function expected(what: string): { error: (issue: { input?: unknown }) => string } {
  return { error: ({ input }) => `expected ${what}, got ${described(input)}` };
}

function described(value: unknown): string {
  if (value === null) return 'null';
  if (Array.isArray(value)) return 'an array';
  if (typeof value === 'object') return 'an object';
  if (typeof value === 'number') return String(value);
  if (typeof value === 'string') return value === '' ? 'an empty string' : 'a string';
  return value === undefined ? 'nothing' : `a ${typeof value}`;
}
