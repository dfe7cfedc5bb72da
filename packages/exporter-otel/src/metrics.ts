import {
  type Attributes,
  type Context,
  type Histogram,
  type MeterProvider,
  metrics,
} from '@opentelemetry/api';
import type { Span } from '@pyagent-trace/core/spans';
import type { Failure } from './mapping/failure.ts';
import { startOf } from './mapping/start.ts';
import { isNumber, putText } from './mapping/values.ts';
import * as semconv from './semconv.ts';

// The boundaries that the conventions advise: seconds from 10 ms by two, tokens by four.
const SECONDS = Array.from({ length: 14 }, (_, step) => 0.01 * 2 ** step);
const TOKENS = Array.from({ length: 14 }, (_, step) => 4 ** step);

/** What a backend groups by; no ids, which would make a series of each call. */
const DIMENSIONS = [
  semconv.OPERATION_NAME,
  semconv.PROVIDER_NAME,
  semconv.REQUEST_MODEL,
  semconv.SERVER_ADDRESS,
  semconv.SERVER_PORT,
] as const;

interface Instruments {
  readonly provider: MeterProvider;
  readonly duration: Histogram;
  readonly tokens: Histogram;
}

/** The histograms of model calls. */
export class CallMetrics {
  readonly #name: string;
  readonly #version: string;
  readonly #given: MeterProvider | undefined;
  #instruments: Instruments | undefined;

  constructor(name: string, version: string, provider: MeterProvider | undefined) {
    this.#name = name;
    this.#version = version;
    this.#given = provider;
  }

  get provider(): MeterProvider {
    return this.#given ?? metrics.getMeterProvider();
  }

  record(span: Span, failure: Failure | undefined, context: Context): void {
    const { duration, tokens } = this.#current();
    const { attributes } = startOf(span);
    const dimensions: Attributes = {};
    for (const key of DIMENSIONS) {
      const value = attributes[key];
      if (value !== undefined) dimensions[key] = value;
    }
    const { model, input_tokens, output_tokens } = span.attributes;
    // as on the span: one that is not said is the one asked for
    if (model !== span.name) putText(dimensions, semconv.RESPONSE_MODEL, model);
    const seconds = Math.max(0, (span.end_time ?? span.start_time) - span.start_time);
    const failed = failure && { [semconv.ERROR_TYPE]: failure.type };
    duration.record(seconds, { ...dimensions, ...failed }, context);
    for (const [type, count] of [
      ['input', input_tokens],
      ['output', output_tokens],
    ] as const)
      if (isNumber(count))
        tokens.record(count, { ...dimensions, [semconv.TOKEN_TYPE]: type }, context);
  }

  /** Made anew when another provider is registered: unlike the one for traces, the global one is no proxy. */
  #current(): Instruments {
    const { provider } = this;
    if (this.#instruments?.provider === provider) return this.#instruments;
    const meter = provider.getMeter(this.#name, this.#version);
    this.#instruments = {
      provider,
      duration: meter.createHistogram(semconv.METRIC_OPERATION_DURATION, {
        description: 'Duration of model calls',
        unit: 's',
        advice: { explicitBucketBoundaries: SECONDS },
      }),
      tokens: meter.createHistogram(semconv.METRIC_TOKEN_USAGE, {
        description: 'Tokens of model calls',
        unit: '{token}',
        advice: { explicitBucketBoundaries: TOKENS },
      }),
    };
    return this.#instruments;
  }
}
