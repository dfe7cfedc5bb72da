import { createRequire } from 'node:module';
import { TraceError } from '@pyagent-trace/core';
import { AutoSink } from './auto-sink.ts';
import { ClientSink } from './client-sink.ts';
import { GivenClient } from './given-client.ts';
import { isCloud } from './health.ts';
import type { Config } from './options.ts';
import { OtlpSink } from './otlp-sink.ts';
import { NOT_INSTALLED, openOwnClient } from './own-client.ts';
import type { Sink } from './sink.ts';

/** @throws {TraceError} `invalid_option` where the package that it takes is not installed */
export function createSink(config: Config): Sink {
  const { destination, environment, release, version, requestTimeoutMs } = config;
  const origin = { environment, release, version };
  if ('client' in destination)
    return new ClientSink(async () => new GivenClient(destination.client), origin);
  const { transport, publicKey, secretKey, baseUrl } = destination;
  const langfuse = new ClientSink(
    () => openOwnClient({ publicKey, secretKey, baseUrl, requestTimeoutMs }),
    origin,
  );
  if (transport === 'langfuse') {
    requireLangfuse();
    return langfuse;
  }
  const otlp = new OtlpSink({
    baseUrl,
    authorization: `Basic ${toBase64(publicKey, secretKey)}`,
    requestTimeoutMs,
    origin,
  });
  return transport === 'otlp' || isCloud(baseUrl)
    ? otlp
    : new AutoSink({ baseUrl, otlp, langfuse });
}

/** Takes what is secret out of a text: a server may answer with what it was sent. */
export function secretsOf({ destination }: Config): (text: string) => string {
  if ('client' in destination) return (text) => text;
  const { publicKey, secretKey } = destination;
  const secrets = [secretKey, toBase64(publicKey, secretKey)];
  return (text) => secrets.reduce((left, secret) => left.replaceAll(secret, '[secret]'), text);
}

function toBase64(publicKey: string, secretKey: string): string {
  return Buffer.from(`${publicKey}:${secretKey}`).toString('base64');
}

function requireLangfuse(): void {
  try {
    createRequire(import.meta.url).resolve('langfuse');
  } catch {
    throw new TraceError('invalid_option', `LangfuseExporter: ${NOT_INSTALLED}`);
  }
}
