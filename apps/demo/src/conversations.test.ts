import { existsSync } from 'node:fs';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { readTraceEvents } from '@pyagent-trace/core/read';
import { CONVERSATIONS, readConversations } from './read-conversations.ts';
import { runDemo } from './run-demo.fixture.ts';

const CONVERSATION = {
  task_id: 7,
  trial: 1,
  messages: [
    { role: 'system', content: 'You are an airline.' },
    { role: 'user', content: 'When is my flight?' },
    {
      role: 'assistant',
      content: null,
      tool_calls: [
        {
          id: 'call_1',
          type: 'function',
          function: { name: 'get_flight', arguments: '{"user":"mia"}' },
        },
      ],
    },
    { role: 'tool', tool_call_id: 'call_1', name: 'get_flight', content: '{"at":"15:00"}' },
    { role: 'assistant', content: 'At three.' },
    { role: 'user', content: 'Thanks.' },
  ],
};

let folder = '';
let path = '';

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'conversations-'));
  path = join(folder, 'conversations.jsonl');
});
afterEach(() => rm(folder, { recursive: true }));

describe('npm run demo -- --conversations', { timeout: 60_000 }, () => {
  // the recordings are not part of the repository
  test.skipIf(!existsSync(CONVERSATIONS))(
    'traces 40 conversations at once and finds each whole (skipped without the recordings)',
    async () => {
      using demo = await runDemo(['--conversations']);

      expect({ ...demo, stdout: demo.stdout.replace(/traces\/\S+:/, '<file>:') }).toMatchObject({
        code: 0,
        stderr: '',
        stdout: `recorded  40 runs, 357 customer calls, 571 agent calls, 254 tool calls
traced    40 runs, 357 customer calls, 571 agent calls, 254 tool calls
file      <file>: 3806 events, 0 dropped
Each run holds what was recorded of it.
`,
      });
      expect(await promptsOf(demo.file)).toEqual(await recordedPrompts());
    },
  );

  test('keeps each call with the messages as they were then', async () => {
    await writeFile(path, `${JSON.stringify(CONVERSATION)}\n`);
    using demo = await runDemo(['--conversations', path]);

    expect(demo).toMatchObject({ code: 0, stderr: '' });
    const { messages } = CONVERSATION;
    expect(await promptsOf(demo.file)).toEqual(
      new Map([['task 7, trial 1', [1, 2, 4, 5].map((length) => messages.slice(0, length))]]),
    );
    const tools: unknown[] = [];
    for await (const { event_type, payload } of readTraceEvents(demo.file))
      if (event_type.startsWith('tool_'))
        tools.push([
          payload['tool_name'],
          payload['tool_call_id'],
          payload['arguments'] ?? payload['result'],
        ]);
    expect(tools).toEqual([
      ['get_flight', 'call_1', { user: 'mia' }],
      ['get_flight', 'call_1', '{"at":"15:00"}'],
    ]);
  });

  test('fails when a run holds something else than was recorded', async () => {
    // two conversations of one name end up in one session
    const line = JSON.stringify(CONVERSATION);
    await writeFile(path, `${line}\n${line}\n`);
    using demo = await runDemo(['--conversations', path]);

    expect(demo).toMatchObject({ code: 1, stderr: 'Not what was recorded: task 7, trial 1\n' });
  });

  test('says where conversations come from when the file is missing', async () => {
    using demo = await runDemo(['--conversations', path]);

    expect(demo).toMatchObject({ code: 1, stdout: '' });
    expect(demo.stderr).toContain(
      `${path}: no such file.\nThe conversations are gpt-4o's airline runs`,
    );
  });
});

describe('readConversations', () => {
  test.for([
    { line: '{', problem: 'not JSON' },
    { line: '{"task_id":1,"trial":0,"messages":[{"role":"cat"}]}', problem: 'messages.0.role: ' },
  ])('names the line that is no conversation: $line', async ({ line, problem }) => {
    await writeFile(path, `${JSON.stringify(CONVERSATION)}\n${line}\n`);

    await expect(readConversations(path)).rejects.toThrow(`${path}:2: ${problem}`);
  });
});

/** `messages_in` of each model call, by session. */
async function promptsOf(file: string): Promise<Map<string, unknown[]>> {
  const sessions = new Map<unknown, string>();
  const prompts = new Map<string, unknown[]>();
  for await (const { event_type, payload } of readTraceEvents(file)) {
    const { trace_id, session_id, messages_in } = payload;
    if (event_type === 'pattern_start') sessions.set(trace_id, String(session_id));
    if (event_type !== 'llm_call') continue;
    const session = sessions.get(trace_id) ?? '';
    prompts.set(session, [...(prompts.get(session) ?? []), messages_in]);
  }
  return prompts;
}

async function recordedPrompts(): Promise<Map<string, unknown[]>> {
  const lines = (await readFile(CONVERSATIONS, 'utf8')).trimEnd().split('\n');
  return new Map(
    lines.map((line) => {
      const { task_id, trial, messages } = JSON.parse(line) as typeof CONVERSATION;
      const prompts = messages.flatMap(({ role }, index) =>
        role === 'user' || role === 'assistant' ? [messages.slice(0, index)] : [],
      );
      return [`task ${task_id}, trial ${trial}`, prompts];
    }),
  );
}
