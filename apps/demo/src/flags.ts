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
  /** The recording to write. */
  readonly record: string | undefined;
  /** The recording or trace that answers. */
  readonly replay: string | undefined;
}

export const USAGE = `npm run demo -- [flags]

  (none)                   a debate of three agents with a scripted model; needs no key
  --live                   the same debate with a real model: OPENAI_API_KEY, and if you like
                           OPENAI_MODEL and OPENAI_BASE_URL of any compatible endpoint
  --otel                   the debate, sent as OpenTelemetry spans too, and what the backend received;
                           also with --live
  --budget <usd>           refuses model calls that could cost more than what is left of so many
                           dollars; 0.01 ends the scripted debate before its verdict
  --record <path>          the debate, and each model call and tool in a recording
  --replay <path>          the debate, answered from a recording, or from a trace in traces/: no model
                           and no tool is asked; a debate that was recorded with --live needs --live
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
        record: { type: 'string' },
        replay: { type: 'string' },
      },
      allowPositionals: true,
    });
    const [path, ...more] = positionals;
    const stray = values.conversations ? more[0] : path;
    if (stray !== undefined) throw new Error(`Unexpected argument '${stray}'`);
    for (const flag of ['live', 'otel', 'budget', 'record', 'replay'] as const)
      if (values[flag] !== undefined && values[flag] !== false && values.conversations)
        throw new Error(`--${flag} and --conversations exclude each other`);
    if (values.record !== undefined && values.replay !== undefined)
      throw new Error('--record and --replay exclude each other');
    const { record, replay } = values;
    return { ...values, path, budget: readBudget(values.budget), record, replay };
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
