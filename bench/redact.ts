// What does it cost to look for secrets in an event, beside hiding a few known keys while it is written?
import { createTraceEvent, type TraceEvent } from '@pyagent-trace/core';
import { redact } from '@pyagent-trace/core/processors';
import { comparing, type Comparison, type Subject } from './harness/compare.ts';
import type { Measurement } from './harness/table.ts';
import { LINE_BYTES, sampleEvents } from './samples.ts';

const MEGABYTE = 1_000_000;
const SENTENCES =
  'The customer (user id: mia_li_3668) asks for a flight from New York to Seattle on May 20, in economy: ' +
  '{"origin": "JFK", "destination": "SEA", "date": "2024-05-20", "price_usd": 152}. Pay with the card on file. ';

/** What makes the rules try hardest: starts of secrets again and again, and runs without an end. */
const HOSTILE: Readonly<Record<string, string>> = {
  'starts of private keys': '-----BEGIN PRIVATE KEY-----\n',
  'starts of tokens': 'eyJaaaaaaaa.',
  'starts of keys': 'sk-ant-aaa ghp_aaa AIzaaa ',
  'short passwords in addresses': '://a:a@',
  'addresses with signs': '://a:b/c',
  'options of a command': '--password ',
  'names without a value': 'password="password=',
  'names and variables': 'api_key=$KEY token: ',
  'values with signs': 'API_KEY=ab,;)',
  'values that are hidden': 'password=[REDACTED x]',
  'words after Bearer': 'Bearer aaaaaaaa Basic aaaaaaaa ',
  'backslashes and quotes': '"password":"\\',
  'dashes and underscores': 'a-b_c.d=',
  'a run of letters': 'a',
};

const KNOWN_KEYS: ReadonlySet<string> = new Set(['password', 'api_key', 'authorization', 'token']);

export const measurements: readonly Measurement[] = comparing(
  compared(`an event of ${LINE_BYTES} bytes`, 100_000, sampleEvents(1)[0] as TraceEvent),
  compared('an event of 10 kB', 5_000, eventOf(SENTENCES, 10_000)),
  compared('a text of 1 MB', 50, eventOf(SENTENCES, MEGABYTE)),
  {
    title: 'hostile texts of 1 MB',
    per: 'text',
    iterations: 2,
    rounds: 7,
    subjects: Object.entries(HOSTILE).map(([name, text]) =>
      redacted(name, eventOf(text, MEGABYTE)),
    ),
    peer: redacted('a harmless text', eventOf(SENTENCES, MEGABYTE)),
    note: 'All by redact(), which goes through each text with all its rules.',
  },
);

function compared(title: string, iterations: number, event: TraceEvent): Comparison {
  return {
    title: `${title}, nothing to hide`,
    per: 'event',
    iterations,
    rounds: 15,
    subjects: [
      redacted('redact()', event),
      repeated('JSON.stringify', () => JSON.stringify(event)),
    ],
    peer: repeated('JSON.stringify, four keys hidden by a replacer', () =>
      JSON.stringify(event, (key, value: unknown) => (KNOWN_KEYS.has(key) ? '[hidden]' : value)),
    ),
    note: 'redact() does not write the event: an exporter does that next.',
  };
}

function eventOf(text: string, characters: number): TraceEvent {
  const content = text.repeat(Math.ceil(characters / text.length)).slice(0, characters);
  return createTraceEvent({
    event_type: 'llm_call',
    agent_name: 'bull',
    payload: { model: 'gpt-4o', messages_in: [{ role: 'user', content }] },
  });
}

function redacted(name: string, event: TraceEvent): Subject {
  const processor = redact();
  return repeated(name, () => processor(event).event_type);
}

function repeated(name: string, work: () => string): Subject {
  return {
    name,
    start: () => ({
      round(iterations) {
        let done = 0;
        for (let i = 0; i < iterations; i++) if (work() !== '') done += 1;
        return done;
      },
    }),
  };
}
