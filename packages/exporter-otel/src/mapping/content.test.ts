import { afterEach, describe, expect, test, vi } from 'vitest';
import { type Draft, ids, setUp } from '../../testing/exporter-spans.ts';
import type { OTelExporterOptions } from '../index.ts';

const SETTING = 'OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT';
const bull = { agent_name: 'bull' };

const run: Draft[] = [
  ['pattern_start', 1, { ...ids(1), input: 'SECRET task' }, { pattern_type: 'debate' }],
  ['agent_start', 2, { ...ids(2, 1), input: { ticker: 'SECRET' } }, bull],
  [
    'llm_call',
    3,
    {
      ...ids(3, 2),
      model: 'm',
      messages_in: [{ role: 'user', content: 'SECRET question' }],
      system: 'SECRET instructions',
      tools: [{ name: 'SECRET' }],
    },
    bull,
  ],
  ['progress', 3, { ...ids(3, 2), chunk: 'SECRET' }, bull],
  ['llm_response', 4, { ...ids(3, 2), response: 'SECRET answer', result: 'SECRET' }, bull],
  ['tool_start', 5, { ...ids(4, 2), tool_name: 'search', arguments: { q: 'SECRET' } }, bull],
  ['tool_end', 6, { ...ids(4, 2), result: 'SECRET result' }, bull],
  ['agent_end', 7, { ...ids(2, 1), output: 'SECRET output' }, bull],
  ['pattern_end', 8, { ...ids(1), result_output: 'SECRET end' }, { pattern_type: 'debate' }],
];

/** Content by the name of its span. */
async function contentOf(options: OTelExporterOptions): Promise<Record<string, unknown>> {
  const { exporter, give, spans } = setUp(options);
  give(...run);
  await exporter.shutdown();
  return Object.fromEntries(
    spans().map(({ name, attributes, events }) => [
      name,
      Object.fromEntries(
        [...Object.entries(attributes), ...events.flatMap(([, , said]) => Object.entries(said))]
          .filter(([, value]) => String(value).includes('SECRET'))
          .map(([key, value]) => [key, value]),
      ),
    ]),
  );
}

const NONE = {
  'invoke_workflow debate': {},
  'invoke_agent bull': {},
  'chat m': {},
  'execute_tool search': {},
};

const message = (role: string, content: string): string =>
  JSON.stringify([{ role, parts: [{ type: 'text', content }] }]);

const ALL = {
  'invoke_workflow debate': {
    'gen_ai.input.messages': message('user', 'SECRET task'),
    'gen_ai.output.messages': message('assistant', 'SECRET end'),
  },
  'invoke_agent bull': {
    'gen_ai.input.messages': message('user', '{"ticker":"SECRET"}'),
    'gen_ai.output.messages': message('assistant', 'SECRET output'),
  },
  'chat m': {
    'gen_ai.input.messages': message('user', 'SECRET question'),
    'gen_ai.output.messages': message('assistant', 'SECRET answer'),
    'gen_ai.system_instructions': '[{"type":"text","content":"SECRET instructions"}]',
    'gen_ai.tool.definitions': '[{"name":"SECRET"}]',
    'pyagent.event.chunk': 'SECRET',
  },
  'execute_tool search': {
    'gen_ai.tool.call.arguments': '{"q":"SECRET"}',
    'gen_ai.tool.call.result': 'SECRET result',
  },
};

afterEach(() => vi.unstubAllEnvs());

describe('content', () => {
  test('is on no span unless it is asked for', async () => {
    vi.stubEnv(SETTING, undefined);
    expect(await contentOf({})).toEqual(NONE);
  });

  test('is on every span when it is', async () => {
    expect(await contentOf({ captureContent: true })).toEqual(ALL);
  });

  test.each([
    ['true', ALL],
    ['1', ALL],
    ['span_only', ALL],
    [' SPAN_AND_EVENT ', ALL],
    ['event_only', NONE],
    ['no_content', NONE],
    ['false', NONE],
    ['', NONE],
  ])('the environment may ask for it with %j', async (setting, expected) => {
    vi.stubEnv(SETTING, setting);
    expect(await contentOf({})).toEqual(expected);
  });

  test('the option stands above the environment', async () => {
    vi.stubEnv(SETTING, 'true');
    expect(await contentOf({ captureContent: false })).toEqual(NONE);
  });

  test('of each text at most maxContentChars are kept', async () => {
    const { 'execute_tool search': tool } = await contentOf({
      captureContent: true,
      maxContentChars: 6,
    });
    expect(tool).toEqual({
      'gen_ai.tool.call.arguments': '{"q":"SECRET"}',
      'gen_ai.tool.call.result': 'SECRET[Truncated: 7 more characters]',
    });
  });

  test('a result that is a large text is cut without the option too', async () => {
    const { exporter, give, spans } = setUp({ captureContent: true });
    give(['tool_end', 1, { ...ids(1), result: 'x'.repeat(20_000) }]);
    await exporter.flush();
    expect(spans()[0]?.attributes['gen_ai.tool.call.result']).toHaveLength(
      16_384 + '[Truncated: 3616 more characters]'.length,
    );
  });
});
