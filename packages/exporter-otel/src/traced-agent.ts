import { parseHelperOptions, type SpanHelperOptions } from './helper-span.ts';
import { firstName, type Runnable, traceRun } from './trace-run.ts';

/**
 * Traces every `run` of one agent: a span `pyagent.agent.{name}` around it, active while it runs, ended
 * with the status OK, or ERROR and the exception.
 *
 * The agent itself is changed and given back: only its `run` is another function. The name is that of
 * the object, read at each run, or else the name of its class.
 *
 * @example
 * ```ts
 * const agent = tracedAgent(new Agent('bull', model));
 * ```
 *
 * @throws {TypeError} The agent has no method `run`, or is frozen.
 * @throws {TraceError} `invalid_option`
 */
export function tracedAgent<Agent extends Runnable>(
  agent: Agent,
  options: SpanHelperOptions = {},
): Agent {
  const tracerProvider = parseHelperOptions(options, 'tracedAgent');
  const { run } = (agent ?? {}) as Partial<Runnable>;
  const nameOf = (): string =>
    firstName(
      () => (agent as { readonly name?: unknown }).name,
      () => agent.constructor.name,
    );
  if (typeof run !== 'function')
    throw new TypeError(`tracedAgent: expected an agent with a method run, got ${nameOf()}`);
  if (!traceRun(agent, run, { kind: 'agent', nameOf, tracerProvider }))
    throw new TypeError(`tracedAgent: the agent ${nameOf()} is frozen`);
  return agent;
}
