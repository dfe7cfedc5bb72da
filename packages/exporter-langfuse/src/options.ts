import { TraceError } from '@pyagent-trace/core';
import { parseOptions } from '@pyagent-trace/core/schema';
import * as z from 'zod';
import { type LangfuseClient, missingMethods } from './client.ts';
import type { Mask } from './content.ts';

export interface LangfuseExporterOptions {
  /** @default LANGFUSE_PUBLIC_KEY of the environment */
  readonly publicKey?: string;
  /** @default LANGFUSE_SECRET_KEY of the environment */
  readonly secretKey?: string;
  /**
   * Where Langfuse is, without `/api`.
   *
   * @default LANGFUSE_BASE_URL of the environment, else LANGFUSE_HOST, else LANGFUSE_BASEURL, as the package
   *   `langfuse` has it, else https://cloud.langfuse.com
   */
  readonly baseUrl?: string;
  /** A client of the `langfuse` package that the app made. Keys and address are the client's then. */
  readonly client?: LangfuseClient;
  /**
   * How observations travel.
   *
   * - `otlp`: OTLP over HTTP, for Langfuse Cloud and servers since 3.22.
   * - `langfuse`: the `langfuse` package, version 3, for older ones. It has to be installed.
   * - `auto`: asks the server for its version, once.
   *
   * @default 'langfuse' with a client, else 'auto'
   */
  readonly transport?: 'auto' | 'langfuse' | 'otlp';
  /**
   * Such as `production`: lower-case letters, digits, `-` and `_`, 40 at most, and not `langfuse…`.
   *
   * @default LANGFUSE_TRACING_ENVIRONMENT of the environment, else none
   */
  readonly environment?: string;
  /** Of the app. @default LANGFUSE_RELEASE of the environment, else none */
  readonly release?: string;
  /** Of what is traced, to compare runs before and after a change. */
  readonly version?: string;
  /**
   * Changes input, output, status message and each metadata value before it leaves the process. Gets plain
   * data and returns what is sent instead; `undefined` leaves it out. Where it throws, or returns a
   * promise, `[masking failed]` is sent, and counted in `stats().maskFailures`.
   */
  readonly mask?: Mask;
  /**
   * What is kept for a server that does not take it, in bytes. Above it observations are given up.
   *
   * @default 33554432
   */
  readonly maxQueueBytes?: number;
  /**
   * How long an observation waits for others, in milliseconds.
   *
   * @default 1000
   */
  readonly flushIntervalMs?: number;
  /**
   * How long one request may take, in milliseconds.
   *
   * @default 10000
   */
  readonly requestTimeoutMs?: number;
}

const CLOUD = 'https://cloud.langfuse.com';
/** A day: whoever waits longer has mistaken the unit. */
const MAX_DELAY_MS = 86_400_000;

const PublicKey = z
  .string()
  .regex(/^[^\s:]+$/, 'expected a key, without spaces or colons')
  .refine((key) => !key.startsWith('sk-'), 'expected the public key, which is not the one of sk-');
const SecretKey = z
  .string()
  .regex(/^\S+$/, 'expected a key, without spaces')
  .refine((key) => !key.startsWith('pk-'), 'expected the secret key, which is not the one of pk-');
const BaseUrl = z
  .string()
  .refine(isBaseUrl, 'expected an http or https URL without user, query and fragment');
const Environment = z
  .string()
  .regex(
    /^(?!langfuse)[a-z0-9_-]{1,40}$/,
    'expected lower-case letters, digits, - and _, 40 at most, not beginning with langfuse',
  );
const Text = z
  .string()
  .min(1, 'expected a text')
  .max(200, 'expected a text of 200 characters at most');

const OptionsSchema = z.strictObject({
  publicKey: PublicKey.optional(),
  secretKey: SecretKey.optional(),
  baseUrl: BaseUrl.optional(),
  client: z.unknown().optional(),
  transport: z.enum(['auto', 'langfuse', 'otlp']).optional(),
  environment: Environment.optional(),
  release: Text.optional(),
  version: Text.optional(),
  mask: z.custom<Mask>((value) => typeof value === 'function', 'expected a function').optional(),
  maxQueueBytes: z
    .int()
    .positive()
    .default(32 * 1024 * 1024),
  flushIntervalMs: z.int().nonnegative().max(MAX_DELAY_MS).default(1_000),
  requestTimeoutMs: z.int().positive().max(MAX_DELAY_MS).default(10_000),
});

const EnvironmentSchema = z.strictObject({
  LANGFUSE_PUBLIC_KEY: PublicKey.optional(),
  LANGFUSE_SECRET_KEY: SecretKey.optional(),
  LANGFUSE_BASE_URL: BaseUrl.optional(),
  LANGFUSE_HOST: BaseUrl.optional(),
  LANGFUSE_BASEURL: BaseUrl.optional(),
  LANGFUSE_TRACING_ENVIRONMENT: Environment.optional(),
  LANGFUSE_RELEASE: Text.optional(),
});

/** Where observations go. */
export type Destination =
  | { readonly client: LangfuseClient }
  | {
      readonly transport: 'auto' | 'langfuse' | 'otlp';
      readonly publicKey: string;
      readonly secretKey: string;
      /** Without a slash at its end. */
      readonly baseUrl: string;
    };

export type Config = Pick<
  z.output<typeof OptionsSchema>,
  | 'environment'
  | 'release'
  | 'version'
  | 'mask'
  | 'maxQueueBytes'
  | 'flushIntervalMs'
  | 'requestTimeoutMs'
> & { readonly destination: Destination };

const PLACE = 'LangfuseExporter';

/** @throws {TraceError} `invalid_option` */
export function readOptions(options: LangfuseExporterOptions, env: NodeJS.ProcessEnv): Config {
  const given = parse(OptionsSchema, options);
  // only what no option replaces: a wrong variable that is not used is nobody's problem
  const set = (name: string, option?: unknown): Record<string, string | undefined> =>
    option === undefined && env[name] !== '' ? { [name]: env[name] } : {};
  const { client, transport, publicKey, secretKey, baseUrl, ...rest } = given;
  const found = parse(EnvironmentSchema, {
    ...set('LANGFUSE_TRACING_ENVIRONMENT', rest.environment),
    ...set('LANGFUSE_RELEASE', rest.release),
    ...(client === undefined && {
      ...set('LANGFUSE_PUBLIC_KEY', publicKey),
      ...set('LANGFUSE_SECRET_KEY', secretKey),
      ...set('LANGFUSE_BASE_URL', baseUrl),
      ...set('LANGFUSE_HOST', baseUrl ?? (env['LANGFUSE_BASE_URL'] || undefined)),
      ...set(
        'LANGFUSE_BASEURL',
        baseUrl ?? (env['LANGFUSE_BASE_URL'] || env['LANGFUSE_HOST'] || undefined),
      ),
    }),
  });
  const { LANGFUSE_BASE_URL, LANGFUSE_HOST, LANGFUSE_BASEURL } = found;
  const foundUrl = LANGFUSE_BASE_URL ?? LANGFUSE_HOST ?? LANGFUSE_BASEURL;
  return {
    ...rest,
    environment: rest.environment ?? found.LANGFUSE_TRACING_ENVIRONMENT,
    release: rest.release ?? found.LANGFUSE_RELEASE,
    destination:
      client === undefined
        ? {
            transport: transport ?? 'auto',
            publicKey: required('publicKey', publicKey ?? found.LANGFUSE_PUBLIC_KEY),
            secretKey: required('secretKey', secretKey ?? found.LANGFUSE_SECRET_KEY),
            baseUrl: (baseUrl ?? foundUrl ?? CLOUD).replace(/\/+$/, ''),
          }
        : { client: toClient(given) },
  };
}

/** Without the cause, which holds what was given: keys too. */
function parse<Schema extends z.ZodType>(schema: Schema, value: unknown): z.output<Schema> {
  try {
    return parseOptions(schema, value, PLACE);
  } catch (error) {
    if (!TraceError.isInstance(error)) throw error;
    throw new TraceError(error.code, error.message);
  }
}

function required(option: 'publicKey' | 'secretKey', value: string | undefined): string {
  if (value !== undefined) return value;
  const variable = option === 'publicKey' ? 'LANGFUSE_PUBLIC_KEY' : 'LANGFUSE_SECRET_KEY';
  throw invalid(`${option}: expected a key, here or in ${variable}, got nothing`);
}

function toClient(options: z.output<typeof OptionsSchema>): LangfuseClient {
  const { client, transport = 'langfuse', publicKey, secretKey, baseUrl } = options;
  if (transport !== 'langfuse')
    throw invalid(`transport: expected "langfuse" with a client, got "${transport}"`);
  for (const [name, value] of Object.entries({ publicKey, secretKey, baseUrl }))
    if (value !== undefined)
      throw invalid(`${name}: expected nothing, since the client has its own`);
  const missing = missingMethods(client);
  if (missing.length > 0)
    throw invalid(`client: expected a client of langfuse 3, got one without ${missing.join(', ')}`);
  return client as LangfuseClient;
}

function invalid(problem: string): TraceError {
  return new TraceError('invalid_option', `${PLACE}: ${problem}`);
}

function isBaseUrl(text: string): boolean {
  if (!URL.canParse(text)) return false;
  const { protocol, username, password, search, hash } = new URL(text);
  return /^https?:$/.test(protocol) && username + password + search + hash === '';
}
