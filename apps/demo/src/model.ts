// What the demo asks of a language model. Nothing here knows of tracing: the debate traces its calls.

export interface Message {
  readonly role: 'system' | 'user' | 'assistant';
  readonly content: string;
}

export interface ModelRequest {
  /** Who asks. The scripted model finds its lines by it; a real one has no use for it. */
  readonly speaker: string;
  readonly model: string;
  readonly messages: readonly Message[];
  /** The longest answer, in tokens. */
  readonly max_tokens: number;
}

/** What a call used. The keys are those of an `llm_response` event, so that nothing is renamed on the way. */
export type Usage = {
  /** As answered. */
  readonly model: string;
  readonly finish_reasons?: readonly string[] | undefined;
  readonly input_tokens?: number | undefined;
  readonly output_tokens?: number | undefined;
  /** US dollars; absent where nobody told the price. */
  readonly cost_usd?: number;
};

export type Answer = Usage & { readonly response: string };

export interface Model {
  readonly provider: string;
  /** For most calls. */
  readonly small: string;
  /** For hard ones. */
  readonly large: string;
  complete(request: ModelRequest): Promise<Answer>;
  /** Pieces of the answer as they come; what the call used is known at the end. */
  stream(request: ModelRequest): AsyncGenerator<string, Usage>;
}

/** A call that brought no answer. */
export class ModelError extends Error {
  override readonly name = 'ModelError';
  /** The HTTP status, or a name such as `network`. */
  readonly code: number | string;

  constructor(message: string, code: number | string) {
    super(message);
    this.code = code;
  }

  /** Where the SDKs of providers have it. */
  get status(): number | undefined {
    return typeof this.code === 'number' ? this.code : undefined;
  }
}

/**
 * Whether the same call may well work in a moment. By name and code, as agents have to know errors that come
 * out of a recording: their class is not in it.
 */
export function isRetryable(error: unknown): boolean {
  const { name, code } = error as Partial<ModelError>;
  if (name !== 'ModelError') return false;
  return typeof code === 'number' ? code === 429 || code >= 500 : code === 'no_answer';
}

/** About four characters make a token of English text: OpenAI's own rule of thumb. */
export function estimateTokens(...texts: readonly string[]): number {
  return texts.reduce((sum, text) => sum + Math.ceil(text.length / 4), 0);
}
