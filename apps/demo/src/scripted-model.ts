// A model that needs no key and says the same in every run, in the time a small model would take.
import { setTimeout as sleep } from 'node:timers/promises';
import { type ModelPrice, priceTable } from '@pyagent-trace/cost';
import { estimateTokens, type Model, ModelError, type ModelRequest, type Usage } from './model.ts';

/** Invented, like the models. */
export const SCRIPTED_PRICES: Readonly<Record<string, ModelPrice>> = {
  'scripted-small': { inputUsdPerMillion: 0.5, outputUsdPerMillion: 2 },
  'scripted-large': { inputUsdPerMillion: 5, outputUsdPerMillion: 20 },
};
const PRICES = priceTable(SCRIPTED_PRICES);

interface Turn {
  /** Milliseconds until the answer, or until its first piece. */
  readonly latencyMs: number;
  /** No answer, but an overloaded server. */
  readonly fails?: true;
  readonly text: string;
}

const PIECE_MS = 35;

const SCRIPT: Readonly<Record<string, readonly Turn[]>> = {
  bull: [
    {
      latencyMs: 650,
      text: 'A battery sells the town its own noon sun at the evening peak. At 0.31 USD a kWh saved it earns its price in seven years, and then runs five more for nothing.',
    },
    {
      latencyMs: 450,
      text: 'Falling prices are a reason to start small, not to wait: each summer without a battery is paid at the peak price.',
    },
  ],
  bear: [
    {
      latencyMs: 900,
      text: 'Cells lose 14 % of their price a year, so the same plant costs a quarter less in two years. They also wear: the free years are sold at a capacity that nobody has promised.',
    },
    { latencyMs: 150, fails: true, text: '' },
    {
      latencyMs: 450,
      text: 'Then start with half, and sign only for a written guarantee of 80 % of the capacity after ten years.',
    },
  ],
  judge: [
    {
      latencyMs: 250,
      text: 'Build half now, with the guarantee in writing. Half a battery already takes the worst of the peaks, and the second half can be bought in two years at the price of that day.',
    },
  ],
};

export function createScriptedModel(): Model {
  const spoken = new Map<string, number>();

  function nextTurn(speaker: string): Turn {
    const index = spoken.get(speaker) ?? 0;
    spoken.set(speaker, index + 1);
    const turn = SCRIPT[speaker]?.[index];
    if (turn === undefined) throw new Error(`the script has no turn ${index + 1} for ${speaker}`);
    return turn;
  }

  return {
    provider: 'scripted',
    small: 'scripted-small',
    large: 'scripted-large',

    async complete(request) {
      const turn = nextTurn(request.speaker);
      await sleep(turn.latencyMs);
      if (turn.fails) throw new ModelError('the model is overloaded, try again', 503);
      return { response: turn.text, ...usageOf(request, turn.text) };
    },

    async *stream(request) {
      const { latencyMs, text } = nextTurn(request.speaker);
      await sleep(latencyMs);
      // two words at a time, each with the space before it
      for (const piece of text.match(/\s*\S+(?:\s+\S+)?/g) ?? []) {
        yield piece;
        await sleep(PIECE_MS);
      }
      return usageOf(request, text);
    },
  };
}

function usageOf({ model, messages }: ModelRequest, text: string): Usage {
  const input_tokens = estimateTokens(...messages.map(({ content }) => content));
  const output_tokens = estimateTokens(text);
  const cost_usd = PRICES.price({ model, usage: { input_tokens, output_tokens } }) ?? 0;
  return { model, finish_reasons: ['stop'], input_tokens, output_tokens, cost_usd };
}
