import { inspect } from 'node:util';
import { createTraceEvent, type TraceEvent } from '@pyagent-trace/core';
import { type ExporterSubject, exporterContract, sampleRun } from '@pyagent-trace/core/testing';
import { Langfuse } from 'langfuse';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { FakeLangfuse, KEYS } from '../fixtures/server.ts';
import { LangfuseExporter } from './langfuse-exporter.ts';
import type { LangfuseExporterOptions } from './options.ts';

beforeEach(() => {
  for (const name of Object.keys(process.env))
    if (name.startsWith('LANGFUSE_')) vi.stubEnv(name, undefined);
});

afterEach(() => {
  vi.unstubAllEnvs();
  vi.restoreAllMocks();
});

describe('LangfuseExporter', () => {
  for (const transport of ['otlp', 'langfuse', 'auto'] as const)
    describe(`with transport '${transport}'`, () => {
      test.for(exporterContract(() => subjectWith({ transport })))('$name', ({ run }) => run());
    });

  describe('with a client', () => {
    beforeEach(() => void vi.spyOn(console, 'error').mockImplementation(() => {}));
    test.for(exporterContract(subjectWithClient))('$name', ({ run }) => run());
  });
});

async function subjectWith(options: LangfuseExporterOptions): Promise<ExporterSubject> {
  const server = await FakeLangfuse.start();
  return subjectOf(server, new LangfuseExporter({ ...server.options, ...options }));
}

async function subjectWithClient(): Promise<ExporterSubject> {
  const server = await FakeLangfuse.start();
  const client = new Langfuse({ ...server.options, flushInterval: 0, fetchRetryCount: 0 });
  return subjectOf(server, new LangfuseExporter({ client }));
}

function subjectOf(server: FakeLangfuse, exporter: LangfuseExporter): ExporterSubject {
  return {
    exporter,
    arrivedSpanIds: () => server.stored.map(({ id }) => id),
    refuse: () => server.failAlways({ kind: 'status', status: 503 }),
    recover: () => server.failAlways(undefined),
    hang: () => server.failAlways({ kind: 'hang' }),
    dispose: () => server[Symbol.asyncDispose](),
  };
}
