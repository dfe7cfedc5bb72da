import { type Attributes, context, type SpanStatus, type TracerProvider } from '@opentelemetry/api';
import { AsyncLocalStorageContextManager } from '@opentelemetry/context-async-hooks';
import {
  InMemorySpanExporter,
  type ReadableSpan,
  SimpleSpanProcessor,
  type SpanProcessor,
  TracerProvider as SdkTracerProvider,
} from '@opentelemetry/sdk-trace';

/** A finished span, as far as a helper decides on it. */
export interface SeenSpan {
  readonly name: string;
  /** The name of its parent, if that is finished too. */
  readonly parent: string | undefined;
  readonly attributes: Attributes;
  readonly status: SpanStatus;
  /** The attributes of its span events named `exception`, without the stack trace. */
  readonly exceptions: readonly Attributes[];
}

export interface Recording {
  readonly tracerProvider: TracerProvider;
  /** In the order in which they ended. */
  readonly spans: () => readonly SeenSpan[];
}

/** A provider that keeps finished spans. */
export function recordSpans(...processors: readonly SpanProcessor[]): Recording {
  const exporter = new InMemorySpanExporter();
  const tracerProvider = new SdkTracerProvider({
    spanProcessors: [new SimpleSpanProcessor({ exporter }), ...processors],
  });
  return {
    tracerProvider,
    spans: () => {
      const finished = exporter.getFinishedSpans();
      const names = new Map(finished.map((span) => [span.spanContext().spanId, span.name]));
      return finished.map((span) => seen(span, names));
    },
  };
}

function seen(span: ReadableSpan, names: ReadonlyMap<string, string>): SeenSpan {
  const exceptions = span.events.filter(({ name }) => name === 'exception');
  return {
    name: span.name,
    parent: names.get(span.parentSpanContext?.spanId ?? ''),
    attributes: span.attributes,
    status: span.status,
    exceptions: exceptions.map(({ attributes }) => {
      const { 'exception.stacktrace': _, ...others } = attributes ?? {};
      return others;
    }),
  };
}

/** Registers what makes a span active across `await`, as an app's SDK does. Returns the way back. */
export function registerContextManager(): () => void {
  const manager = new AsyncLocalStorageContextManager().enable();
  context.setGlobalContextManager(manager);
  return () => {
    manager.disable();
    context.disable();
  };
}
