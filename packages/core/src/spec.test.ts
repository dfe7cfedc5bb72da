// The folder spec/ of the repository: the format is owned by no language, and held to by both.
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { encodeTraceEvent } from './encode.ts';
import { createTraceEvent, EVENT_TYPES, type TraceEvent } from './event.ts';
import { type ReadStats, readTraceEvents, type TraceReadError } from './read.ts';
import { parseTraceEvent, PAYLOAD_SCHEMAS } from './schema.ts';

const ROOT = fileURLToPath(new URL('../../../', import.meta.url));
const FIXTURES = join(ROOT, 'spec/fixtures');
const TRACE = { trace_id: '0af7651916cd43dd8448eb211c80319c' };
const PATTERN = { ...TRACE, span_id: '00f067aa0ba902b7' };
const AGENT = { ...TRACE, span_id: 'b7ad6b7169203331', parent_span_id: PATTERN.span_id };
const CALL = { ...TRACE, span_id: '53995c3f42cd8ad8', parent_span_id: AGENT.span_id };
const TOOL = { ...TRACE, span_id: '5fb397be34d26b51', parent_span_id: AGENT.span_id };
const USAGE = { model: 'gpt-4o-2024-08-06', input_tokens: 512, output_tokens: 64 };

/** One debate with every event type, then one event per trap of the format. */
const FIXED_EVENTS = [
  ['pattern_start', '', { ...PATTERN, input: 'Buy NVDA?', session_id: 's1', tags: ['nightly'] }],
  ['agent_start', 'bull', { ...AGENT, role: 'advocate', metadata: { desk: 'tech' } }],
  ['routing_decision', 'bull', { ...AGENT, difficulty: 7, alternatives: ['gpt-4o-mini'] }],
  ['compression', 'bull', { ...AGENT, input_tokens: 2048, output_tokens: 512, savings_pct: 0.75 }],
  [
    'llm_call',
    'bull',
    {
      ...CALL,
      provider: 'openai',
      model: 'gpt-4o',
      messages_in: [{ role: 'user', content: 'Buy NVDA?' }],
      temperature: 0.2,
      stop: ['END'],
    },
  ],
  ['llm_response', 'bull', { ...CALL, ...USAGE, response: 'Buy.', finish_reasons: ['stop'] }],
  ['cost_record', 'bull', { ...CALL, ...USAGE, cost_usd: 0.00192, cache_read_tokens: 256 }],
  ['tool_start', 'bull', { ...TOOL, tool_name: 'quote', arguments: { ticker: 'NVDA' } }],
  ['error', 'bull', { ...TOOL, message: 'no such ticker', error_type: 'KeyError', code: 404 }],
  ['tool_end', 'bull', { ...TOOL, tool_name: 'quote', duration_ms: 12.5, status: 'error' }],
  ['agent_end', 'bull', { ...AGENT, output: 'Buy.', duration_ms: 250, status: 'ok' }],
  ['pattern_end', '', { ...PATTERN, output: 'Buy.', rounds: 1, consensus: 0.9, status: 'ok' }],
  ['trace_gap', '', { dropped: 3, reasons: { queue_full: 3 }, from: 1735689600, to: 1735689601.5 }],
  [
    'custom_type',
    'naïve 研究者 😀',
    { text: '\u2028 \u2029 \u0000 \u001b[31m \u009b \u007f </script>' },
  ],
  ['custom_type', 'constructor', JSON.parse('{"__proto__":{"isAdmin":true},"constructor":1}')],
  ['custom_type', 'cut \ud83d', { half: '\ude00', keys: { '\ud83d': '' } }],
  ['custom_type', '', { numbers: [0, -0, 1e-7, 1e16, 1e21, 5e-324, NaN, -Infinity, 2 ** 53] }],
  ['custom_type', '', { 10: 'ten', 2: 'two', '': 'empty', absent: undefined, none: null }],
  [
    'custom_type',
    '',
    { big: 2n ** 70n, date: new Date(0), map: new Map([['a', 1]]), set: new Set([1]) },
  ],
].map(([event_type, agent_name, payload], index) =>
  createTraceEvent({
    timestamp: 1735689600 + index * 0.000001,
    event_type,
    agent_name,
    pattern_type: 'debate',
    payload,
  }),
);

const hasPython = spawnSync('python3', ['--version']).status === 0;

async function read(
  name: string,
): Promise<{ events: TraceEvent[]; errors: string[]; stats: ReadStats }> {
  const errors: string[] = [];
  const events: TraceEvent[] = [];
  const onError = ({ line, reason }: TraceReadError): unknown => errors.push(`${line}: ${reason}`);
  const reader = readTraceEvents(join(FIXTURES, name), { onError });
  for await (const event of reader) events.push(event);
  return { events, errors, stats: reader.stats() };
}

function linesOf(name: string): string[] {
  return readFileSync(join(FIXTURES, name), 'utf8').trimEnd().split('\n');
}

function checkSpec(root: string): { status: number | null; stderr: string } {
  const { status, stderr } = spawnSync(
    process.execPath,
    [join(ROOT, 'tools/generate-spec.mjs'), '--check', '--root', root],
    { encoding: 'utf8' },
  );
  return { status, stderr };
}

describe('spec/trace-event.schema.json', () => {
  test('is what the zod schemas generate', () => {
    expect(checkSpec(ROOT)).toEqual({ status: 0, stderr: '' });
  });

  test('is found stale when it is missing or differs', () => {
    const root = mkdtempSync(join(tmpdir(), 'spec-'));
    try {
      const stale = 'spec/trace-event.schema.json: stale; run pnpm spec';
      expect(checkSpec(root)).toMatchObject({ status: 1, stderr: expect.stringContaining(stale) });
      mkdirSync(join(root, 'spec'));
      writeFileSync(join(root, 'spec/trace-event.schema.json'), '{}\n');
      expect(checkSpec(root)).toMatchObject({ status: 1, stderr: expect.stringContaining(stale) });
    } finally {
      rmSync(root, { recursive: true });
    }
  });
});

describe('spec/README.md', () => {
  const page = readFileSync(join(ROOT, 'spec/README.md'), 'utf8');

  test('names every event type and every known payload key', () => {
    const keys = Object.values(PAYLOAD_SCHEMAS).flatMap((schema) =>
      Object.keys(schema.toJSONSchema({ io: 'input' })['properties'] ?? {}),
    );
    const named = new Set(page.match(/(?<=`)\w+(?=`)/g));

    expect([...EVENT_TYPES, ...keys].filter((name) => !named.has(name))).toEqual([]);
  });

  test('shows events that are events', () => {
    const [, block = ''] = /```jsonl\n(.*?)\n```/s.exec(page) ?? [];
    const events = block.split('\n').map((line): unknown => JSON.parse(line));

    expect(events.map(parseTraceEvent)).toEqual(events);
    expect(events).toHaveLength(4);
  });
});

describe('spec/fixtures', () => {
  test('python-events.jsonl reads as JSON.parse reads it', async () => {
    const { events, errors } = await read('python-events.jsonl');

    expect(events).toEqual(linesOf('python-events.jsonl').map((line): unknown => JSON.parse(line)));
    expect({ errors, count: events.length }).toEqual({ errors: [], count: 60 });
  });

  test('python-nan.jsonl reads with null for NaN and Infinity, and rounded integers', async () => {
    const { events, errors, stats } = await read('python-nan.jsonl');

    expect(errors).toEqual([]);
    expect(stats).toMatchObject({ lines: 6, events: 6, nonFinite: 7 });
    expect(events.map(({ timestamp }) => timestamp)).toEqual([
      1722500000, 1722500000.000001, 1722500001, 1722500002.5, 1722500003.25, 1722500004.125,
    ]);
    const [start, call, cost, odd, cut] = events;
    expect(start?.payload).toEqual({
      input: 'Soll ich NVDA kaufen? 研究 😀 \u2028 \u007f \u001b[31m',
      tags: ['ünï'],
    });
    expect(call?.payload).toEqual({
      model: 'gpt-4o',
      temperature: 0,
      cost_usd: null,
      duration_ms: null,
      time_to_first_chunk_ms: null,
      response: 'He said "NaN", not \\"Infinity\\".',
      messages_in: [{ role: 'user', content: 'NaN', name: '' }],
      logprobs: [-0.1, null, null],
    });
    expect(cost?.payload).toMatchObject({
      input_tokens: 100,
      cost_usd: 1e-7,
      request_id: '1180591620717411303424',
      big: 2 ** 70,
      above: 2 ** 53,
      negative_zero: -0,
      cached: null,
    });
    expect(odd).toMatchObject({ agent_name: 'constructor', pattern_type: '__proto__' });
    expect(Object.entries(odd?.payload ?? {})).toEqual([
      ['__proto__', { isAdmin: true }],
      ['constructor', 'c'],
      ['NaN', null],
      ['', []],
    ]);
    expect(cut).toMatchObject({
      agent_name: 'cut \ud83d',
      payload: { when: '2026-01-02 03:04:05' },
    });
  });

  test('python-recording.jsonl holds no events: its own keys are reported as unknown', async () => {
    const { events, errors, stats } = await read('python-recording.jsonl');

    expect(errors).toEqual(events.map((_, index) => `${index + 1}: unknown_key`));
    expect(stats).toMatchObject({ lines: 14, events: 14, unknownKeys: 3 * 14 });
  });

  test('typescript-events.jsonl is what encodeTraceEvent writes', async () => {
    const text = FIXED_EVENTS.map((event) => `${encodeTraceEvent(event)}\n`).join('');

    await expect(text).toMatchFileSnapshot(join(FIXTURES, 'typescript-events.jsonl'));
    expect(new Set(FIXED_EVENTS.map(({ event_type }) => event_type))).toEqual(
      new Set([...EVENT_TYPES, 'custom_type']),
    );
  });

  test('typescript-events.jsonl reads back without a loss', async () => {
    const { events, errors } = await read('typescript-events.jsonl');

    expect(errors).toEqual([]);
    expect(events.map(encodeTraceEvent)).toEqual(linesOf('typescript-events.jsonl'));
  });

  test.skipIf(!hasPython)(
    'typescript-events.jsonl is the same data in Python (skipped without python3)',
    () => {
      const program = [
        'import json, sys',
        'from dataclasses import asdict, dataclass, field',
        '@dataclass(frozen=True)',
        'class TraceEvent:',
        '    timestamp: float',
        '    event_type: str',
        '    agent_name: str = ""',
        '    pattern_type: str = ""',
        '    payload: dict = field(default_factory=dict)',
        'for line in open(sys.argv[1], encoding="utf-8"):',
        '    print(json.dumps(asdict(TraceEvent(**json.loads(line)))))',
      ].join('\n');
      const file = join(FIXTURES, 'typescript-events.jsonl');

      const { stdout, stderr } = spawnSync('python3', ['-c', program, file], { encoding: 'utf8' });

      expect(stderr).toBe('');
      const parsed = stdout
        .trimEnd()
        .split('\n')
        .map((line): unknown => JSON.parse(line));
      expect(parsed.map((event) => encodeTraceEvent(event as TraceEvent))).toEqual(
        linesOf('typescript-events.jsonl'),
      );
    },
  );
});
