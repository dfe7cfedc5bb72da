// Lines that were damaged in every way we know, each judged a second time by means that share nothing
// with the reader: JSON.parse, zod and a count of line feeds.
import { readdirSync, readFileSync } from 'node:fs';
import { isUtf8 } from 'node:buffer';
import { describe, expect, test } from 'vitest';
import { encodeTraceEvent } from './encode.ts';
import { type TraceReadError, readTraceEvents } from './read.ts';
import { TraceEventSchema } from './schema.ts';
import { hostilePayloads, sampleRun } from './testing/index.ts';
import { createTraceEvent } from './event.ts';

/** `FUZZ_LINES=1000000` takes 40 seconds. */
const LINES = Number(process.env['FUZZ_LINES'] ?? 30_000);
const LINES_PER_FILE = 2_000;
const SEED = Number(process.env['FUZZ_SEED'] ?? 20_261_122);

const FIXTURES = new URL('../../../spec/fixtures/', import.meta.url);

const TOKENS = [
  '"', '\\', '{', '}', '[', ']', ':', ',', '\u2028', '\ufeff', '\0', '\r', '\u009b', '\ud83d',
  'NaN', '-Infinity', 'null', '1e400', '-0', '0x1', '99999999999999999999',
  '"__proto__":{"polluted":true},', '"constructor":{"prototype":{"polluted":true}},',
  '"timestamp":"1",', '"payload":[],', '"sixth":6,', '"span_id":7,', '\\u0000', '\\ud83d', '[['.repeat(150),
].map((token) => Buffer.from(token)); // prettier-ignore

/** Mulberry32: small, and the same on every machine. */
function randomFrom(seed: number): (below: number) => number {
  let state = seed >>> 0;
  return (below) => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) % below;
  };
}

function seedLines(): Buffer[] {
  const fixtures = readdirSync(FIXTURES).filter((name) => !name.includes('recording'));
  const written = fixtures.flatMap((name) =>
    readFileSync(new URL(name, FIXTURES), 'utf8').trimEnd().split('\n'),
  );
  const hostile = hostilePayloads().map(({ payload }) =>
    encodeTraceEvent(createTraceEvent({ event_type: 'llm_call', payload })),
  );
  const deep = [100, 198, 199].map(
    (levels) =>
      `{"timestamp":1,"event_type":"x","payload":{"deep":${'['.repeat(levels)}1${']'.repeat(levels)}}}`,
  );
  const nonFinite =
    '{"timestamp":1,"event_type":"x","payload":{"a":[NaN,-Infinity,"NaN",Infinity]}}';
  return [...written, ...sampleRun().map(encodeTraceEvent), ...hostile, ...deep, nonFinite]
    .filter((line) => line.length < 4_000)
    .map((line) => Buffer.from(line));
}

type Random = ReturnType<typeof randomFrom>;

const MUTATIONS: readonly ((line: Buffer, random: Random, other: Buffer) => Buffer)[] = [
  (line) => line,
  (line, random) => line.subarray(0, random(line.length + 1)),
  (line, random) => line.subarray(random(line.length + 1)),
  (line, random) => {
    const copy = Buffer.from(line);
    if (copy.length > 0) copy[random(copy.length)] = random(256);
    return copy;
  },
  (line, random) => insert(line, random(line.length + 1), TOKENS[random(TOKENS.length)] as Buffer),
  (line, random) => insert(line, random(line.length + 1), Buffer.from('\n')),
  (line, random, other) =>
    Buffer.concat([
      line.subarray(0, random(line.length + 1)),
      other.subarray(random(other.length + 1)),
    ]),
  (line, random) => {
    const start = random(line.length + 1);
    return Buffer.concat([line.subarray(0, start), line.subarray(start + random(20))]);
  },
  (line, random) => {
    const start = random(line.length + 1);
    const part = line.subarray(start, start + random(40));
    return insert(line, random(line.length + 1), part);
  },
];

function insert(line: Buffer, at: number, part: Buffer): Buffer {
  return Buffer.concat([line.subarray(0, at), part, line.subarray(at)]);
}

function* chunksOf(bytes: Buffer, random: Random): Generator<Buffer> {
  for (let start = 0; start < bytes.length;) {
    const end = start + 1 + random(40_000);
    yield bytes.subarray(start, end);
    start = end;
  }
}

interface Expected {
  readonly byteOffset: number;
  /** What the line is as an event, or `undefined` if it is none. */
  readonly event: string | undefined;
}

/** By line number; blank lines are left out. */
function judge(bytes: Buffer): Map<number, Expected> {
  const expected = new Map<number, Expected>();
  let byteOffset = 0;
  let number = 0;
  for (const line of bytes.toString('latin1').split('\n')) {
    number += 1;
    const own = Buffer.from(line, 'latin1');
    const text = own.toString().replace(number === 1 ? /^\ufeff/ : /(?!)/, '');
    if (!/^[ \t\r]*$/.test(text)) expected.set(number, { byteOffset, event: eventOf(own, text) });
    byteOffset += own.length + 1;
  }
  return expected;
}

function eventOf(bytes: Buffer, text: string): string | undefined {
  if (!isUtf8(bytes) || depthOf(text) > 200) return undefined;
  let value: unknown;
  try {
    // a word like NaN outside of strings: what stands in strings is put aside first
    const strings: string[] = [];
    const bare = text
      .replace(/"(?:[^"\\]|\\.)*"/gs, (string) => `"${strings.push(string) - 1}"`)
      .replace(/-?Infinity|NaN/g, 'null');
    value = JSON.parse(bare.replace(/"(\d+)"/g, (_, index) => strings[Number(index)] as string));
  } catch {
    return undefined;
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return undefined;
  const keys = new Set(['timestamp', 'event_type', 'agent_name', 'pattern_type', 'payload']);
  const five = Object.fromEntries(Object.entries(value).filter(([key]) => keys.has(key)));
  const { data } = TraceEventSchema.safeParse(five);
  return data && encodeTraceEvent(data);
}

function depthOf(text: string): number {
  let depth = 0;
  let deepest = 0;
  for (const [token] of text.matchAll(/"(?:[^"\\]|\\.)*"?|[[\]{}]/gs)) {
    if (token === '[' || token === '{') deepest = Math.max(deepest, ++depth);
    else if (token === ']' || token === '}') depth -= 1;
  }
  return deepest;
}

describe('readTraceEvents', () => {
  test(
    `of ${LINES.toLocaleString('en')} damaged lines each is the event that it says or an error with its place`,
    { timeout: 600_000 },
    async () => {
      const random = randomFrom(SEED);
      const seeds = seedLines();
      const outcomes = { events: 0, errors: 0 };
      const any = (): Buffer => seeds[random(seeds.length)] as Buffer;
      for (let made = 0; made < LINES; made += LINES_PER_FILE) {
        const lines = Array.from({ length: LINES_PER_FILE }, () => {
          let line = any();
          for (let times = random(3); times >= 0; times--)
            line = (MUTATIONS[random(MUTATIONS.length)] as (typeof MUTATIONS)[number])(
              line,
              random,
              any(),
            );
          return Buffer.concat([line, Buffer.from(random(20) === 0 ? '\r\n' : '\n')]);
        });
        const bytes = Buffer.concat(lines);
        const errors: TraceReadError[] = [];
        const reader = readTraceEvents(chunksOf(bytes, random), {
          onError: (error) => void errors.push(error),
        });
        const events: string[] = [];
        for await (const event of reader) events.push(encodeTraceEvent(event));

        const expected = judge(bytes);
        const wanted = [...expected.values()].flatMap(({ event }) => event ?? []);
        expect(events).toEqual(wanted);
        const lost = errors.filter(({ reason }) => reason !== 'unknown_key');
        expect(lost.map(({ line, byteOffset }) => ({ line, byteOffset }))).toEqual(
          [...expected]
            .filter(([, { event }]) => event === undefined)
            .map(([line, { byteOffset }]) => ({ line, byteOffset })),
        );
        expect(reader.stats()).toMatchObject({
          lines: expected.size,
          events: wanted.length,
          errors: lost.length,
        });
        outcomes.events += events.length;
        outcomes.errors += lost.length;
      }
      expect(({} as Record<string, unknown>)['polluted']).toBeUndefined();
      // both kinds are there, or the damage is not what it should be
      expect(outcomes.events).toBeGreaterThan(LINES / 10);
      expect(outcomes.errors).toBeGreaterThan(LINES / 10);
    },
  );
});
