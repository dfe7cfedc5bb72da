// Writes spec/trace-event.schema.json from the zod schemas of core. Run: pnpm spec. With --check it
// writes nothing and fails when the file is not what it would write.
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { FIVE_KEYS } from '../packages/core/src/schema/event.ts';
import { PAYLOAD_SCHEMAS } from '../packages/core/src/schema.ts';
import { readArgs, report } from './lib/repo.mjs';

const FILE = 'spec/trace-event.schema.json';

const { root, check } = readArgs({ check: { type: 'boolean', default: false } });
const path = join(root, FILE);
const text = `${JSON.stringify(traceEventSchema(), null, 2)}\n`;
if (check)
  report('generate-spec', read() === text ? [] : [`${FILE}: stale; run pnpm spec`], 'one file');
else writeFileSync(path, text);

function read() {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return undefined; // missing is stale
  }
}

function traceEventSchema() {
  const { properties, required } = jsonSchemaOf(FIVE_KEYS);
  const payloads = Object.entries(PAYLOAD_SCHEMAS).map(([type, schema]) => [
    type,
    jsonSchemaOf(schema).properties,
  ]);
  const [, ...others] = payloads.map(([, keys]) => keys);
  const common = pick(payloads[0][1], (key) => others.every((keys) => key in keys));
  return {
    $schema: 'https://json-schema.org/draft/2020-12/schema',
    $id: 'urn:pyagent-trace:trace-event',
    title: 'TraceEvent',
    description:
      'One trace event: one line of a trace file. Generated from the zod schemas of @pyagent-trace/core; spec/README.md explains it.',
    type: 'object',
    // a custom check in zod, which has no JSON Schema
    properties: { ...properties, payload: { type: 'object', ...properties.payload } },
    required,
    additionalProperties: false,
    allOf: payloads.map(([type]) => ({
      if: { properties: { event_type: { const: type } }, required: ['event_type'] },
      // oxlint-disable-next-line unicorn/no-thenable -- a keyword of JSON Schema
      then: { properties: { payload: { $ref: `#/$defs/${type}` } } },
    })),
    $defs: {
      common: {
        description: 'Keys that the payload of every known event type may carry.',
        properties: common,
      },
      ...Object.fromEntries(
        payloads.map(([type, keys]) => [
          type,
          {
            description: `Known payload keys of ${type}. Unknown keys are legal.`,
            allOf: [{ $ref: '#/$defs/common' }],
            properties: pick(keys, (key) => !(key in common)),
          },
        ]),
      ),
    },
  };
}

function jsonSchemaOf(schema) {
  return simplify(schema.toJSONSchema({ io: 'input', unrepresentable: 'any' }));
}

/** The shorter of two ways to say the same: a list of types for a choice, nothing for "anything". */
function simplify(value) {
  if (Array.isArray(value)) return value.map(simplify);
  if (typeof value !== 'object' || value === null) return value;
  const entries = Object.entries(value)
    .map(([key, item]) => [key, simplify(item)])
    .filter(
      ([key, item]) =>
        !['additionalProperties', 'properties', 'items'].includes(key) || !isEmpty(item),
    );
  const { anyOf, ...rest } = Object.fromEntries(entries);
  if (anyOf === undefined) return rest;
  const types = anyOf.flatMap(({ type }) => type);
  const details = anyOf.filter((choice) => Object.keys(choice).length > 1);
  if (types.includes(undefined) || details.length > 1) return { anyOf, ...rest };
  return { type: types, ...pick(details[0] ?? {}, (key) => key !== 'type'), ...rest };
}

function isEmpty(item) {
  return typeof item === 'object' && Object.keys(item).length === 0;
}

function pick(keys, predicate) {
  return Object.fromEntries(Object.entries(keys).filter(([key]) => predicate(key)));
}
