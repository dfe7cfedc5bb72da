import { parseArgs } from 'node:util';
import { DemoError } from './demo-error.ts';

export interface Flags {
  readonly help: boolean;
  readonly live: boolean;
  readonly otel: boolean;
  readonly conversations: boolean;
  /** The file of `--conversations`. */
  readonly path: string | undefined;
}

export const USAGE = `npm run demo -- [flags]

  (none)                   a debate of three agents with a scripted model; needs no key
  --live                   the same debate with a real model: OPENAI_API_KEY, and if you like
                           OPENAI_MODEL and OPENAI_BASE_URL of any compatible endpoint
  --otel                   the debate, sent as OpenTelemetry spans too, and what the backend received;
                           also with --live
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
      },
      allowPositionals: true,
    });
    const [path, ...more] = positionals;
    const stray = values.conversations ? more[0] : path;
    if (stray !== undefined) throw new Error(`Unexpected argument '${stray}'`);
    for (const flag of ['live', 'otel'] as const)
      if (values[flag] && values.conversations)
        throw new Error(`--${flag} and --conversations exclude each other`);
    return { ...values, path };
  } catch (error) {
    // Node adds advice about positional arguments, which does not help here
    const [problem] = (error as Error).message.split('. ');
    throw new DemoError(`${problem}\n\n${USAGE}`);
  }
}
