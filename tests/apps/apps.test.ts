import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { readTraceEvents } from '@pyagent-trace/core/read';
import { type Span, SpanAssembler } from '@pyagent-trace/core/spans';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type LocalServer, startProvider, startReceiver } from './servers.ts';

const SECRET = 'swordfish';
let provider: LocalServer;
/** Outside of the repository, with what npm would have installed. */
let folder: string;

beforeAll(async () => {
  provider = await startProvider();
  folder = mkdtempSync(join(tmpdir(), 'apps-'));
  for (const app of ['script', 'server', 'suite'])
    cpSync(join(import.meta.dirname, app), join(folder, app), { recursive: true });
  symlinkSync(
    join(import.meta.dirname, '../node_modules'),
    join(folder, 'node_modules'),
    'junction',
  );
});

afterAll(async () => {
  await provider[Symbol.asyncDispose]();
  rmSync(folder, { recursive: true, force: true });
});

/** As a user has it: nothing of this run of the tests, and no color. */
function environment(more: Record<string, string> = {}): Record<string, string> {
  const { PATH = '', SystemRoot = '', TEMP = '' } = process.env;
  const openai = {
    OPENAI_BASE_URL: `${provider.url}/v1`,
    OPENAI_API_KEY: `sk-proj-${'Ab1'.repeat(20)}`,
  };
  return { PATH, SystemRoot, TEMP, ...openai, NO_COLOR: '1', ...more };
}

interface Ended {
  readonly failed: boolean;
  readonly output: string;
}

function run(args: readonly string[], more?: Record<string, string>): Promise<Ended> {
  return new Promise((resolve) => {
    const options = { cwd: folder, env: environment(more) };
    execFile(process.execPath, args, options, (error, stdout, stderr) =>
      resolve({ failed: error !== null, output: stdout + stderr }),
    );
  });
}

const traceFile = (name: string): string => readFileSync(join(folder, 'traces', name), 'utf8');

describe('a script', () => {
  test('shows its run, prices it, keeps it, and hides its secrets', async () => {
    const { failed, output } = await run(['script/main.ts', 'first']);
    expect({ failed, output }).toMatchObject({ failed: false });
    expect(output.replaceAll(/\d+ ms$/gm, '…').replaceAll(/ +…/g, ' …')).toMatchSnapshot();
    expect(output + traceFile('first.redacted.jsonl')).not.toContain(SECRET);
    expect(traceFile('first.jsonl')).toContain(SECRET);
  });

  test('is stopped by its budget, and warned before', async () => {
    const { failed, output } = await run(['script/main.ts', 'long', '1000']);
    expect({ failed, output }).toMatchObject({ failed: false });
    expect(output).toContain('stopped: limit true');
    expect(output).toContain('◆ budget_warning');
    expect(output).not.toMatch(/◆ (late|unmatched)/);
  });
});

describe('a server', () => {
  test.skipIf(process.platform === 'win32')(
    'keeps 200 requests at once apart, in every destination (skipped on Windows: no SIGTERM)',
    async () => {
      await using collector = await startReceiver();
      await using langfuse = await startReceiver();
      const env = environment({
        OTEL_EXPORTER_OTLP_ENDPOINT: collector.url,
        OTEL_EXPORTER_OTLP_PROTOCOL: 'http/json',
        OTEL_METRICS_EXPORTER: 'none',
        OTEL_LOGS_EXPORTER: 'none',
        LANGFUSE_BASE_URL: langfuse.url,
        LANGFUSE_PUBLIC_KEY: 'pk-lf-1',
        LANGFUSE_SECRET_KEY: 'sk-lf-1',
      });
      const server = spawn(process.execPath, ['server/main.ts'], { cwd: folder, env });
      let complaints = '';
      server.stderr.on('data', (text) => (complaints += String(text)));
      const exit = once(server, 'exit');
      const lines = createInterface({ input: server.stdout })[Symbol.asyncIterator]();
      const { port } = JSON.parse(String((await lines.next()).value));

      const ask = async (index: number): Promise<() => Promise<void>> => {
        const question = `${index % 20 === 0 ? 'fail' : 'ask'}-${index}`;
        const headers = { 'x-session': `chat-${index}`, 'x-user': `user-${index}` };
        const url = `http://127.0.0.1:${port}`;
        const response = await fetch(url, { method: 'POST', body: question, headers });
        return async () =>
          expect([response.status, await response.text()]).toEqual(answerTo(question));
      };
      const first = await Promise.all(Array.from({ length: REQUESTS }, (_, index) => ask(index)));
      await Promise.all(first.map((read) => read()));
      const late = await Promise.all(Array.from({ length: 20 }, (_, i) => ask(REQUESTS + i)));
      server.kill('SIGTERM'); // their answers have begun
      await Promise.all(late.map((read) => read()));
      const { receipts, sessions, bus } = JSON.parse(String((await lines.next()).value));
      expect([await exit, complaints]).toEqual([[0, null], '']);

      expect(sessions).toBe(209); // eleven failed before their call
      for (const { exporter, delivered, dropped, failed, pending } of receipts)
        expect([exporter, delivered + dropped, failed, pending]).toEqual([
          exporter,
          bus.emitted,
          0,
          0,
        ]);
      const spans = await spansOf('server');
      const kept = requestsIn(spans, ({ trace_id }) => trace_id);
      expect(kept.toSorted(byNumber)).toEqual(Array.from({ length: 220 }, (_, index) => index));
      const ids = new Set(spans.map(({ trace_id, span_id }) => `${trace_id} ${span_id}`));
      for (const { traceId, spanId } of [...collector.spans, ...langfuse.spans])
        expect(ids).toContain(`${traceId} ${spanId}`);
      expect(collector.spans.length).toBeLessThan(spans.length); // a sample
      expect(requestsIn(collector.spans, ({ traceId }) => traceId)).not.toEqual([]);
      // those that failed, and those that a signal did not let wait for their end
      const sent = requestsIn(langfuse.spans, ({ traceId }) => traceId);
      expect(sent.filter((index) => index < REQUESTS).toSorted(byNumber)).toEqual(
        Array.from({ length: 10 }, (_, index) => index * 20),
      );
      expect(JSON.stringify([spans, collector.spans, langfuse.spans])).not.toContain(SECRET);
    },
    60_000,
  );
});

const REQUESTS = 200;

const byNumber = (a: number, b: number): number => a - b;

function answerTo(question: string): [status: number, text: string] {
  if (question.startsWith('fail')) return [500, ''];
  return [200, `${question}; fact 1 about ${question}; fact 2 about ${question} `];
}

/** The number of the request of each trace; fails where a trace speaks of more than one. */
function requestsIn<T>(spans: readonly T[], traceOf: (span: T) => string): number[] {
  const traces = new Map<string, T[]>();
  for (const span of spans) {
    const trace = traces.get(traceOf(span)) ?? [];
    traces.set(traceOf(span), trace);
    trace.push(span);
  }
  return [...traces.values()].map((trace) => {
    const names = JSON.stringify(trace).match(/\b(?:ask|fail|chat|user)-\d+/g) ?? [];
    const [request, ...others] = new Set(names.map((name) => Number(name.split('-')[1])));
    expect(others).toEqual([]);
    return request ?? -1;
  });
}

async function spansOf(name: string): Promise<Span[]> {
  const spans: Span[] = [];
  const assembler = new SpanAssembler({ onEnd: (span) => spans.push(span) });
  const names = readdirSync(join(folder, 'traces'))
    .filter((file) => file.startsWith(name) && !file.endsWith('.tmp'))
    .toSorted();
  const files = new Map(names.map((file) => [file.replace(/\.(gz|zst)$/, ''), file]));
  expect(files.size).toBeGreaterThan(1); // rotated
  for (const file of files.values())
    for await (const event of readTraceEvents(join(folder, 'traces', file))) assembler.add(event);
  expect(assembler.stats()).toMatchObject({ late: 0, unmatched: 0, open: 0 });
  return spans;
}

describe('a test suite', () => {
  const vitest = ['node_modules/vitest/vitest.mjs', 'run'];

  test('replays the trace of the script, and writes what is missing outside of CI alone', async () => {
    rmSync(join(folder, 'traces'), { recursive: true });
    await run(['script/main.ts', 'first']);
    const missing = await run(vitest, { CI: 'true' });
    expect(missing.output).toMatch(/1 failed.*4 passed/);
    expect(missing.output).toContain('cassette.jsonl');
    expect(await run(vitest)).toMatchObject({ failed: false });

    const nobody = { CI: 'true', OPENAI_BASE_URL: 'http://127.0.0.1:1/v1' };
    const changed = { PROMPT: 'Should we sell a battery?' };
    const differs = await run(vitest, { ...nobody, ...changed });
    expect(differs.output).toMatch(/1 failed.*4 passed/);
    expect(differs.output).toContain('Should we [-buy-]{+sell+} a battery?');
    expect(await run([...vitest, '-u'], changed)).toMatchObject({ failed: false });
    expect(await run(vitest, { ...nobody, ...changed })).toMatchObject({ failed: false });
  }, 60_000);
});
