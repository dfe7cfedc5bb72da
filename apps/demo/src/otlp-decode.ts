// What an OTLP request says, as plain data. The bytes are read by a schema of their own, not by the code
// of the exporter that wrote them.
import protobuf from 'protobufjs';
import * as z from 'zod';

/** Strings, numbers, booleans, and lists and objects of them. */
export type Attributes = Readonly<Record<string, unknown>>;

export interface ReceivedSpanEvent {
  readonly name: string;
  readonly time_ns: bigint;
  readonly attributes: Attributes;
}

export interface ReceivedSpan {
  /** 32 hex digits. */
  readonly trace_id: string;
  /** 16 hex digits. */
  readonly span_id: string;
  /** Empty on a root. */
  readonly parent_span_id: string;
  readonly name: string;
  readonly kind: string;
  /** Unix nanoseconds. */
  readonly start_ns: bigint;
  readonly end_ns: bigint;
  readonly attributes: Attributes;
  readonly events: readonly ReceivedSpanEvent[];
  readonly status: string;
  readonly status_message: string;
  /** What the SDK says of the process: `service.name`. */
  readonly resource: Attributes;
  /** Name and version of the tracer. */
  readonly scope: { readonly name: string; readonly version: string };
}

/** Of opentelemetry-proto 1.x what a trace needs: `trace/v1/trace.proto`, `common/v1/common.proto`. */
const PROTO = `
  syntax = "proto3";
  message Request { repeated ResourceSpans resource_spans = 1; }
  message ResourceSpans { Resource resource = 1; repeated ScopeSpans scope_spans = 2; }
  message Resource { repeated KeyValue attributes = 1; }
  message ScopeSpans { Scope scope = 1; repeated Span spans = 2; }
  message Scope { string name = 1; string version = 2; }
  message Span {
    bytes trace_id = 1;
    bytes span_id = 2;
    bytes parent_span_id = 4;
    string name = 5;
    int32 kind = 6;
    fixed64 start_time_unix_nano = 7;
    fixed64 end_time_unix_nano = 8;
    repeated KeyValue attributes = 9;
    repeated Event events = 11;
    Status status = 15;
  }
  message Event { fixed64 time_unix_nano = 1; string name = 2; repeated KeyValue attributes = 3; }
  message Status { string message = 2; int32 code = 3; }
  message KeyValue { string key = 1; AnyValue value = 2; }
  message AnyValue {
    oneof value {
      string string_value = 1;
      bool bool_value = 2;
      int64 int_value = 3;
      double double_value = 4;
      ArrayValue array_value = 5;
      KeyValueList kvlist_value = 6;
    }
  }
  message ArrayValue { repeated AnyValue values = 1; }
  message KeyValueList { repeated KeyValue values = 1; }
`;
const Request = protobuf.parse(PROTO).root.lookupType('Request');

const KINDS = ['unspecified', 'internal', 'server', 'client', 'producer', 'consumer'];
const STATUSES = ['unset', 'ok', 'error'];

// Both encodings give these keys. Ids are bytes in protobuf and hex digits in JSON; a number of 64 bits is
// a string, in JSON also a number.
const IdSchema = z
  .union([
    z.string(),
    z.instanceof(Uint8Array).transform((bytes) => Buffer.from(bytes).toString('hex')),
  ])
  .default('');
const NanosSchema = z.union([z.string(), z.number()]).transform(BigInt);
const ScalarSchema = z.union([
  z.object({ stringValue: z.string() }).transform(({ stringValue }) => stringValue),
  z.object({ boolValue: z.boolean() }).transform(({ boolValue }) => boolValue),
  z
    .object({ intValue: z.union([z.string(), z.number()]) })
    .transform(({ intValue }) => Number(intValue)),
  z.object({ doubleValue: z.number() }).transform(({ doubleValue }) => doubleValue),
]);
const ValueSchema: z.ZodType = z.lazy(() =>
  z.union([
    ScalarSchema,
    z
      .object({ arrayValue: z.object({ values: z.array(ValueSchema).default([]) }) })
      .transform(({ arrayValue }) => arrayValue.values),
    z
      .object({ kvlistValue: z.object({ values: z.lazy(() => AttributesSchema) }) })
      .transform(({ kvlistValue }) => kvlistValue.values),
  ]),
);
const AttributesSchema: z.ZodType<Attributes> = z
  .array(z.object({ key: z.string(), value: ValueSchema }))
  .default([])
  .transform((pairs) => Object.fromEntries(pairs.map(({ key, value }) => [key, value])));
const EventSchema = z.object({
  name: z.string(),
  timeUnixNano: NanosSchema,
  attributes: AttributesSchema,
});
const SpanSchema = z.object({
  traceId: IdSchema,
  spanId: IdSchema,
  parentSpanId: IdSchema,
  name: z.string(),
  kind: z.int().default(0),
  startTimeUnixNano: NanosSchema,
  endTimeUnixNano: NanosSchema,
  attributes: AttributesSchema,
  events: z.array(EventSchema).default([]),
  status: z
    .object({ code: z.int().default(0), message: z.string().default('') })
    .default({ code: 0, message: '' }),
});
const RequestSchema = z.object({
  resourceSpans: z
    .array(
      z.object({
        resource: z.object({ attributes: AttributesSchema }),
        scopeSpans: z.array(
          z.object({
            scope: z.object({ name: z.string(), version: z.string().default('') }),
            spans: z.array(SpanSchema),
          }),
        ),
      }),
    )
    .default([]),
});

/** @throws when the bytes are not what the content type says */
export function decodeTraces(contentType: string, bytes: Uint8Array): ReceivedSpan[] {
  const { resourceSpans } = RequestSchema.parse(readBody(contentType, bytes));
  return resourceSpans.flatMap(({ resource, scopeSpans }) =>
    scopeSpans.flatMap(({ scope, spans }) =>
      spans.map((span) => ({
        trace_id: span.traceId,
        span_id: span.spanId,
        parent_span_id: span.parentSpanId,
        name: span.name,
        kind: KINDS[span.kind] ?? String(span.kind),
        start_ns: span.startTimeUnixNano,
        end_ns: span.endTimeUnixNano,
        attributes: span.attributes,
        events: span.events.map(({ name, timeUnixNano, attributes }) => ({
          name,
          time_ns: timeUnixNano,
          attributes,
        })),
        status: STATUSES[span.status.code] ?? String(span.status.code),
        status_message: span.status.message,
        resource: resource.attributes,
        scope,
      })),
    ),
  );
}

function readBody(contentType: string, bytes: Uint8Array): unknown {
  if (contentType === 'application/json') return JSON.parse(Buffer.from(bytes).toString());
  if (contentType === 'application/x-protobuf')
    return Request.toObject(Request.decode(bytes), { longs: String });
  throw new Error(`content-type: expected protobuf or JSON, got '${contentType}'`);
}
