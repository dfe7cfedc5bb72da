import { inspect } from 'node:util';
import { TraceError } from '@pyagent-trace/core';
import { describe, expect, test } from 'vitest';
import { readOptions } from './options.ts';

const KEYS = { publicKey: 'pk-lf-1', secretKey: 'sk-lf-SECRET' };
const client = {
  trace: () => {},
  span: () => {},
  generation: () => {},
  event: () => {},
  flushAsync: async () => {},
};

describe('readOptions', () => {
  test('has defaults', () => {
    expect(readOptions(KEYS, {})).toEqual({
      environment: undefined,
      release: undefined,
      maxQueueBytes: 33_554_432,
      flushIntervalMs: 1_000,
      requestTimeoutMs: 10_000,
      destination: { ...KEYS, transport: 'auto', baseUrl: 'https://cloud.langfuse.com' },
    });
  });

  test('reads the environment, where no option says otherwise', () => {
    const env = {
      LANGFUSE_PUBLIC_KEY: 'pk-env',
      LANGFUSE_SECRET_KEY: 'sk-env',
      LANGFUSE_BASE_URL: 'https://base.example/langfuse/',
      LANGFUSE_HOST: 'not read',
      LANGFUSE_TRACING_ENVIRONMENT: 'staging',
      LANGFUSE_RELEASE: 'r1',
    };
    expect(readOptions({}, env)).toMatchObject({
      environment: 'staging',
      release: 'r1',
      destination: {
        publicKey: 'pk-env',
        secretKey: 'sk-env',
        baseUrl: 'https://base.example/langfuse',
      },
    });
    const options = {
      ...KEYS,
      baseUrl: 'http://localhost:3000',
      environment: 'test',
      release: 'r2',
    };
    expect(readOptions(options, env)).toMatchObject({
      environment: 'test',
      release: 'r2',
      destination: { ...KEYS, baseUrl: 'http://localhost:3000' },
    });
  });

  test.for([
    [{ LANGFUSE_HOST: 'https://host.example' }, 'https://host.example'],
    [{ LANGFUSE_BASE_URL: '', LANGFUSE_HOST: 'https://host.example' }, 'https://host.example'],
    [{ LANGFUSE_BASE_URL: '', LANGFUSE_HOST: '' }, 'https://cloud.langfuse.com'],
    [{ LANGFUSE_BASEURL: 'https://old.example' }, 'https://old.example'],
    [
      { LANGFUSE_HOST: 'https://host.example', LANGFUSE_BASEURL: 'not read' },
      'https://host.example',
    ],
  ] as const)('with %j sends to %s', ([env, baseUrl]) => {
    expect(readOptions(KEYS, env).destination).toMatchObject({ baseUrl });
  });

  test('takes a client as it is', () => {
    const env = { LANGFUSE_BASE_URL: 'of no use', LANGFUSE_SECRET_KEY: 'not read' };
    expect(readOptions({ client, transport: 'langfuse' }, env).destination).toEqual({ client });
  });

  test.for<[options: object, env: NodeJS.ProcessEnv, problem: string]>([
    [{}, {}, 'publicKey: expected a key, here or in LANGFUSE_PUBLIC_KEY, got nothing'],
    [
      { publicKey: 'pk' },
      { LANGFUSE_SECRET_KEY: '' },
      'secretKey: expected a key, here or in LANGFUSE_SECRET_KEY, got nothing',
    ],
    [
      { ...KEYS, publicKey: 'sk-lf-SECRET' },
      {},
      'publicKey: expected the public key, which is not the one of sk-, got a string',
    ],
    [
      { ...KEYS, secretKey: 'pk-lf-1' },
      {},
      'secretKey: expected the secret key, which is not the one of pk-, got a string',
    ],
    [
      { ...KEYS, secretKey: 'sk-SECRET\n' },
      {},
      'secretKey: expected a key, without spaces, got a string',
    ],
    [{ ...KEYS, secretKey: 7 }, {}, 'secretKey: expected string, got 7'],
    [
      { publicKey: 'pk' },
      { LANGFUSE_SECRET_KEY: ' sk-SECRET' },
      'LANGFUSE_SECRET_KEY: expected a key, without spaces, got a string',
    ],
    [
      { ...KEYS, baseUrl: 'cloud.langfuse.com' },
      {},
      'baseUrl: expected an http or https URL without user, query and fragment, got a string',
    ],
    [
      { ...KEYS, baseUrl: 'https://u:SECRET@host' },
      {},
      'baseUrl: expected an http or https URL without user, query and fragment, got a string',
    ],
    [
      KEYS,
      { LANGFUSE_BASE_URL: 'ftp://host' },
      'LANGFUSE_BASE_URL: expected an http or https URL without user, query and fragment, got a string',
    ],
    [
      KEYS,
      { LANGFUSE_TRACING_ENVIRONMENT: 'Production' },
      'LANGFUSE_TRACING_ENVIRONMENT: expected lower-case letters, digits, - and _, 40 at most, not beginning with langfuse, got a string',
    ],
    [
      { ...KEYS, environment: 'langfuse-x' },
      {},
      'environment: expected lower-case letters, digits, - and _, 40 at most, not beginning with langfuse, got a string',
    ],
    [
      { ...KEYS, transport: 'grpc' },
      {},
      'transport: Invalid option: expected one of "auto"|"langfuse"|"otlp", got "grpc"',
    ],
    [{ ...KEYS, mask: 'x' }, {}, 'mask: expected a function, got a string'],
    [
      { ...KEYS, flushAt: 3 },
      {},
      'unknown option "flushAt"; known are publicKey, secretKey, baseUrl, client, transport, environment, release, version, mask, maxQueueBytes, flushIntervalMs, requestTimeoutMs',
    ],
    [
      { ...KEYS, maxQueueBytes: 0 },
      {},
      'maxQueueBytes: Too small: expected number to be >0, got 0',
    ],
    [
      { client: { ...client, event: 1 } },
      {},
      'client: expected a client of langfuse 3, got one without event',
    ],
    [
      { client: 'x' },
      {},
      'client: expected a client of langfuse 3, got one without trace, span, generation, event, flushAsync',
    ],
    [{ client, transport: 'otlp' }, {}, 'transport: expected "langfuse" with a client, got "otlp"'],
    [{ client, ...KEYS }, {}, 'publicKey: expected nothing, since the client has its own'],
  ])('refuses %j with %j', ([options, env, problem]) => {
    let thrown: unknown;
    try {
      readOptions(options, env);
    } catch (error) {
      thrown = error;
    }
    expect(thrown).toEqual(new TraceError('invalid_option', `LangfuseExporter: ${problem}`));
    expect(inspect(thrown, { depth: 10, showHidden: true })).not.toMatch(/SECRET(?!_KEY)/);
  });
});
