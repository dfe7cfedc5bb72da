import type { Attributes, TracerProvider } from '@opentelemetry/api';
import { PyAgentAttributes } from './attributes.ts';
import { parseHelperOptions, presentAttributes, type SpanHelperOptions } from './helper-span.ts';
import { firstName, type Runnable, traceRun } from './trace-run.ts';

/** A class whose objects have a method `run`. */
export type PatternClass = abstract new (...args: never[]) => Runnable;

/**
 * Traces every `run` of a class: a span `pyagent.pattern.{pattern_type}` around it, active while it
 * runs, ended with the status OK, or ERROR and the exception. A decorator, standard or of
 * `experimentalDecorators`, and a function to call.
 *
 * The class itself is changed and given back: only `run` of its prototype is another function. The
 * type is `pattern_type` or `patternType` of the object, or else the name of its class. Of the result
 * `token_estimate`, `cost_estimate` and `metadata.rounds` become attributes.
 *
 * @example
 * ```ts
 * @tracedPattern
 * class Debate {
 *   readonly pattern_type = 'debate';
 *   async run(task: string) { … }
 * }
 *
 * tracedPattern(Debate); // without decorators
 * ```
 *
 * @throws {TypeError} The class has no method `run`. A class field, which each object gets for itself,
 *   is none.
 */
export function tracedPattern<Class extends PatternClass>(
  patternClass: Class,
  context?: ClassDecoratorContext,
): Class;
/**
 * The same with options: `@tracedPattern({ tracerProvider })`.
 *
 * @throws {TraceError} `invalid_option`
 */
export function tracedPattern(
  options: SpanHelperOptions,
): <Class extends PatternClass>(patternClass: Class, context?: ClassDecoratorContext) => Class;
export function tracedPattern(target: PatternClass | SpanHelperOptions): unknown {
  if (typeof target === 'function') return trace(target);
  const tracerProvider = parseHelperOptions(target, 'tracedPattern');
  return (patternClass: PatternClass) => trace(patternClass, tracerProvider);
}

function trace(patternClass: PatternClass, tracerProvider?: TracerProvider): PatternClass {
  const prototype: unknown = patternClass.prototype;
  const run = methodOf(prototype);
  const name = firstName(() => patternClass.name);
  if (run === undefined)
    throw new TypeError(`tracedPattern: expected a class with a method run, got ${name}`);
  const done = traceRun(prototype as object, run, {
    kind: 'pattern',
    nameOf: (self) => patternTypeOf(self as Named),
    attributesOf: resultAttributes,
    tracerProvider,
  });
  if (!done) throw new TypeError(`tracedPattern: the prototype of ${name} is frozen`);
  return patternClass;
}

interface Named {
  readonly pattern_type?: unknown;
  readonly patternType?: unknown;
  readonly constructor: { readonly name: string };
}

function patternTypeOf(pattern: Named): string {
  return firstName(
    () => pattern.pattern_type,
    () => pattern.patternType,
    () => pattern.constructor.name,
  );
}

/** A getter named `run` is none: what it gives may differ from object to object. */
function methodOf(prototype: unknown): Runnable['run'] | undefined {
  for (let at = prototype; at !== null && at !== undefined; at = Object.getPrototypeOf(at)) {
    const found = Reflect.getOwnPropertyDescriptor(at, 'run');
    if (found !== undefined) return typeof found.value === 'function' ? found.value : undefined;
  }
  return undefined;
}

function resultAttributes(result: unknown): Attributes {
  if (typeof result !== 'object' || result === null) return {};
  const { token_estimate, cost_estimate, metadata } = result as Record<string, unknown>;
  const rounds = (metadata as { rounds?: unknown } | null | undefined)?.rounds;
  return presentAttributes({
    [PyAgentAttributes.EXEC_TOKEN_ESTIMATE]: token_estimate,
    [PyAgentAttributes.COST_TOTAL_USD]: cost_estimate,
    [PyAgentAttributes.PATTERN_ROUNDS]: rounds,
  });
}
