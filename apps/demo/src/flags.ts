import { parseArgs } from 'node:util';
import { DemoError } from './demo-error.ts';

export interface Flags {
  readonly help: boolean;
  readonly live: boolean;
  readonly otel: boolean;
  readonly conversations: boolean;
  /** The file of `--conversations`. */
  readonly path: string | undefined;
  /** US dollars. */
  readonly budget: number | undefined;
}

export const USAGE = `npm run demo -- [flags]

  (none)                   a debate of three agents with a scripted model; needs no key
  --live                   the same debate with a real model: OPENAI_API_KEY, and if you like
                           OPENAI_MODEL and OPENAI_BASE_URL of any compatible endpoint
  --otel                   the debate, sent as OpenTelemetry spans too, and what the backend received;
                           also with --live
  --budget <usd>           refuses model calls that could cost more than what is left of so many
                           dollars; 0.01 ends the scripted debate before its verdict
  --conversations [path]   traces recorded customer service conversations and checks the counts
  --help                   this text`;

/** @throws {DemoError} for what is no flag, with the list of them */
export function readFlags(args: readonly string[]): Flags {
  try {
    const { values, positionals } = parseArgs({
      // pnpm hands on the `--` that npm takes away
      args: args[0] === '--' ? args.slice(1) : [...args],
      options: {
        help: { type: 'boolean', short: 'h', default: false },
        live: { type: 'boolean', default: false },
        otel: { type: 'boolean', default: false },
        conversations: { type: 'boolean', default: false },
        budget: { type: 'string' },
      },
      allowPositionals: true,
    });
    const [path, ...more] = positionals;
    const stray = values.conversations ? more[0] : path;
    if (stray !== undefined) throw new Error(`Unexpected argument '${stray}'`);
    for (const flag of ['live', 'otel', 'budget'] as const)
      if (values[flag] && values.conversations)
        throw new Error(`--${flag} and --conversations exclude each other`);
    return { ...values, path, budget: readBudget(values.budget) };
  } catch (error) {
    // Node adds advice about positional arguments, which does not help here
    const [problem] = (error as Error).message.split('. ');
    throw new DemoError(`${problem}\n\n${USAGE}`);
  }
}

function readBudget(text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  if (!/^\d+(?:\.\d+)?$/.test(text))
    throw new Error(`--budget: expected US dollars such as 0.01, got '${text}'`);
  return Number(text);
}
