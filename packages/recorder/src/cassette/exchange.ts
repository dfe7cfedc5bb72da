import { createTraceEvent, escapeControls, messageOf } from '@pyagent-trace/core';
import { type LinePlace, TraceReadError } from '@pyagent-trace/core/read';
import * as z from 'zod';
import type { RecordEntry } from '../record-entry.ts';
import type { Question } from './request.ts';

const EXCHANGE_TYPE = 'http_request';
/** Of what `metadata` holds. */
export const CASSETTE_VERSION = 1;

/** What was thrown instead of an answer, or of the rest of one. */
export interface ThrownError {
  readonly message: string;
  readonly error_type: string;
  readonly code?: string | number | undefined;
  readonly cause?: ThrownError | undefined;
  /** The app itself had given up, by its signal. */
  readonly aborted?: boolean | undefined;
}

export interface Chunk {
  /** Since the request, in milliseconds. */
  readonly at_ms: number;
  readonly text?: string | undefined;
  readonly base64?: string | undefined;
}

export interface Answer {
  /** When its headers came: since the request, in milliseconds. */
  readonly at_ms: number;
  readonly status: number;
  readonly status_text: string;
  readonly headers: readonly (readonly [name: string, value: string])[];
  /** Where redirects led. */
  readonly redirected_to?: string | undefined;
  /** Absent where an answer has no body, such as one of status 204. */
  readonly chunks?: readonly Chunk[] | undefined;
  /** The app stopped reading here. */
  readonly cancelled?: boolean | undefined;
}

/** A request and what came of it. */
export interface Exchange {
  readonly cassette: typeof CASSETTE_VERSION;
  readonly request: Question;
  readonly response?: Answer | undefined;
  readonly error?: ThrownError | undefined;
  readonly duration_ms: number;
}

const milliseconds = z.number('expected milliseconds');
const text = z.string('expected a string');

const ErrorSchema: z.ZodType<ThrownError> = z.looseObject({
  message: text,
  error_type: text,
  code: z.union([z.string(), z.number()]).optional(),
  get cause() {
    return ErrorSchema.optional();
  },
  aborted: z.boolean().optional(),
});

const ChunkSchema: z.ZodType<Chunk> = z
  .looseObject({
    at_ms: milliseconds,
    text: text.optional(),
    base64: z.base64('expected Base64').optional(),
  })
  .refine((chunk) => (chunk.text === undefined) !== (chunk.base64 === undefined), {
    error: 'expected text or base64',
  });

const StatusSchema = z.int('expected a status').min(200).max(599);

const AnswerSchema: z.ZodType<Answer> = z
  .looseObject({
    at_ms: milliseconds,
    status: StatusSchema,
    status_text: text,
    headers: z.array(z.tuple([text, text], 'expected a name and a value')),
    redirected_to: text.optional(),
    chunks: z.array(ChunkSchema, 'expected an array of chunks').optional(),
    cancelled: z.boolean().optional(),
  })
  .superRefine(({ status, status_text, headers }, context) => {
    try {
      void new Response(null, { status, statusText: status_text, headers });
    } catch (error) {
      context.addIssue({ code: 'custom', message: escapeControls(messageOf(error)) });
    }
  });

const QuestionSchema: z.ZodType<Question> = z.looseObject({
  method: text,
  origin: text,
  path: text,
  query: z.record(z.string(), z.union([z.string(), z.array(z.string())])).optional(),
  headers: z.record(z.string(), z.string()).optional(),
  body: z.unknown().optional(),
});

const ExchangeSchema: z.ZodType<Exchange> = z
  .looseObject({
    cassette: z.literal(CASSETTE_VERSION, {
      error: ({ input }) =>
        `expected cassette version ${CASSETTE_VERSION}, got ${JSON.stringify(input) ?? 'nothing'}`,
    }),
    request: QuestionSchema,
    response: AnswerSchema.optional(),
    error: ErrorSchema.optional(),
    duration_ms: milliseconds,
  })
  .refine(({ response, error }) => response !== undefined || error !== undefined, {
    error: 'expected a response or an error',
  });

/** A line of the file: the six keys of a recording. */
export function toEntry(exchange: Exchange): RecordEntry {
  return {
    // finer than Date.now: equal requests are told apart by when they were asked
    timestamp: createTraceEvent({ event_type: EXCHANGE_TYPE }).timestamp,
    event_type: EXCHANGE_TYPE,
    agent_name: '',
    messages_in: [],
    response: '',
    metadata: { ...exchange },
  };
}

/**
 * The exchange that an entry holds, or `undefined` if it is an entry of another type.
 *
 * @throws {TraceReadError} `invalid_line`
 */
export function toExchange(entry: RecordEntry, place: LinePlace): Exchange | undefined {
  if (entry.event_type !== EXCHANGE_TYPE) return undefined;
  const { error } = ExchangeSchema.safeParse(entry.metadata);
  if (error === undefined) return entry.metadata as unknown as Exchange;
  const [issue] = error.issues;
  const problem = `${['metadata', ...(issue?.path ?? [])].join('.')}: ${issue?.message}`;
  throw new TraceReadError('invalid_entry', problem, place, { cause: error });
}
