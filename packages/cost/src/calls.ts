import { BoundedMap } from './bounded-map.ts';
import type { Identity } from './reading.ts';
import type { Usage } from './usage.ts';

/** As many spans are open at most in core's SpanAssembler. */
const MAX_REMEMBERED = 10_000;
/** Of one agent. A cost without ids comes right after its call. */
const MAX_CANDIDATES = 100;
/** With candidates: 40 MB, if each has as many as it may. */
const MAX_AGENTS = 1000;

type Context = Pick<Identity, 'session_id' | 'user_id'>;

/** A model call, from its first event on. */
export interface Call {
  readonly agent_name: string;
  readonly pattern_type: string;
  readonly provider: string;
  readonly session_id: string;
  readonly user_id: string;
  /** As asked for. */
  readonly asked: string;
  /** Empty while it is not. */
  answered: string;
  usage: Usage;
  /** Not known; in the sums; counted as unpriced. */
  cost: 'none' | 'summed' | 'unpriced';
  /** Whether a `cost_record` came for it. */
  recorded: boolean;
}

/**
 * Knows which calls have a cost, so that none is counted twice. Pairs what `SpanAssembler` pairs, but
 * at once: the assembler of an exporter waits no longer than 250 ms for a cost.
 */
export class Calls {
  /** By id; those without one by the number of their coming. */
  readonly #open = new BoundedMap<string | number, Call>(MAX_REMEMBERED);
  /** Answered, or known by a cost. */
  readonly #known = new BoundedMap<string, Call>(MAX_REMEMBERED);
  /** Answered and without a `cost_record`, by agent, the newest last. */
  readonly #candidates = new BoundedMap<string, Call[]>(MAX_AGENTS);
  /** Agents and patterns, with their session and user. */
  readonly #parents = new BoundedMap<string, Context>(MAX_REMEMBERED);
  /** By trace. */
  readonly #roots = new BoundedMap<string, Context>(MAX_REMEMBERED);
  #nameless = 0;

  /** Takes the start of a pattern or an agent. */
  startParent(identity: Identity): void {
    const { span_id, parent_span_id, session_id, user_id } = identity;
    if (span_id !== '') this.#parents.set(keyOf(identity), this.#contextOf(identity));
    const isTold = session_id !== '' || user_id !== '';
    if (parent_span_id === '' && (isTold || span_id === ''))
      this.#roots.set(traceOf(identity), { session_id, user_id });
  }

  isParent(identity: Identity): boolean {
    return this.#parents.get(keyOf(identity)) !== undefined;
  }

  open(identity: Identity): void {
    const id = identity.span_id === '' ? (this.#nameless += 1) : keyOf(identity);
    this.#open.set(id, this.#callOf(identity));
  }

  /**
   * The call that is answered, unless it was answered before or is known by its cost.
   *
   * @param opened whether an `llm_call` came before
   */
  answer(identity: Identity, usage: Usage, opened: boolean): Call | undefined {
    const hasId = identity.span_id !== '';
    const key = keyOf(identity);
    if (hasId && this.#known.get(key) !== undefined) return undefined;
    const call = (opened ? this.#takeOpen(identity) : undefined) ?? this.#callOf(identity);
    if (hasId) this.#known.set(key, call);
    if (call.recorded) return undefined;
    call.answered = identity.model;
    call.usage = usage;
    this.#addCandidate(call);
    return call;
  }

  /** The call that a `cost_record` is for. One without ids is for the newest call that it fits. */
  recorded(identity: Identity, usage: Usage): Call {
    const call = this.#findRecorded(identity, usage);
    call.recorded = true;
    return call;
  }

  #findRecorded(identity: Identity, usage: Usage): Call {
    const { span_id, agent_name } = identity;
    if (span_id !== '' && !this.isParent(identity)) {
      const key = keyOf(identity);
      const call = this.#known.get(key) ?? this.#takeOpen(identity) ?? this.#callOf(identity);
      this.#known.set(key, call);
      return call;
    }
    const fits = (call: Call): boolean => isFit(call, identity, usage);
    const candidates = this.#candidates.get(agent_name) ?? [];
    const index = candidates.findLastIndex(fits);
    const [answered] = index < 0 ? [] : candidates.splice(index, 1);
    return answered ?? this.#open.newest(fits)?.[1] ?? this.#callOf(identity);
  }

  #addCandidate(call: Call): void {
    const candidates = this.#candidates.get(call.agent_name) ?? [];
    candidates.push(call);
    if (candidates.length > MAX_CANDIDATES) candidates.shift();
    this.#candidates.set(call.agent_name, candidates);
  }

  #takeOpen(identity: Identity): Call | undefined {
    const { span_id, agent_name, pattern_type } = identity;
    const id =
      span_id !== ''
        ? keyOf(identity)
        : this.#open.newest(
            (call, key) =>
              typeof key === 'number' &&
              call.agent_name === agent_name &&
              call.pattern_type === pattern_type,
          )?.[0];
    if (id === undefined) return undefined;
    const call = this.#open.get(id);
    this.#open.delete(id);
    return call;
  }

  #callOf(identity: Identity): Call {
    const { agent_name, pattern_type, provider, model } = identity;
    return {
      agent_name,
      pattern_type,
      provider,
      ...this.#contextOf(identity),
      asked: model,
      answered: '',
      usage: {},
      cost: 'none',
      recorded: false,
    };
  }

  /** Its own, or that of the nearest operation around it that is known. */
  #contextOf(identity: Identity): Context {
    const { parent_span_id, session_id, user_id } = identity;
    const around =
      this.#parents.get(keyOf(identity)) ??
      this.#parents.get(keyOf({ ...identity, span_id: parent_span_id })) ??
      this.#roots.get(traceOf(identity));
    return {
      session_id: session_id || (around?.session_id ?? ''),
      user_id: user_id || (around?.user_id ?? ''),
    };
  }
}

/** Without an id the pattern is the trace, as everywhere. */
function traceOf({ trace_id, pattern_type }: Identity): string {
  return trace_id || pattern_type;
}

function keyOf(identity: Identity): string {
  return `${traceOf(identity)}\0${identity.span_id}`;
}

function isFit(call: Call, { agent_name, model }: Identity, usage: Usage): boolean {
  const models = [call.asked, call.answered].filter((name) => name !== '');
  return (
    !call.recorded &&
    call.agent_name === agent_name &&
    (model === '' || models.length === 0 || models.includes(model)) &&
    isSame(call.usage.input_tokens, usage.input_tokens) &&
    isSame(call.usage.output_tokens, usage.output_tokens)
  );
}

/** Or one is not known. */
function isSame(count: number | undefined, other: number | undefined): boolean {
  return count === undefined || other === undefined || count === other;
}
