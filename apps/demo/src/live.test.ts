import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { readTraceEvents } from '@pyagent-trace/core/read';
import { sendJson, sendStream, startFakeServer } from './fake-server.fixture.ts';
import { runDemo } from './run-demo.fixture.ts';

const KEY = 'sk-secret-0123456789';

describe('npm run demo -- --live', { timeout: 30_000 }, () => {
  test('needs a key, and says so in one line', async () => {
    using demo = await runDemo(['--live']);

    expect(demo).toMatchObject({
      code: 1,
      stdout: '',
      stderr: 'OPENAI_API_KEY is not set; --live asks a real model and needs a key\n',
    });
  });

  test('traces the debate of a real model', async () => {
    const usage = { prompt_tokens: 100, completion_tokens: 10 };
    await using server = await startFakeServer((response, { body }) =>
      body['stream'] === true
        ? sendStream(response, [
            { choices: [{ delta: { content: 'Build ' } }] },
            { choices: [{ delta: { content: 'half.' }, finish_reason: 'stop' }] },
            { choices: [], usage },
            '[DONE]',
          ])
        : sendJson(response, 200, {
            model: 'm-1',
            choices: [{ message: { content: 'I think so. Or not.' }, finish_reason: 'stop' }],
            usage,
          }),
    );
    using demo = await runDemo(['--live'], {
      env: { OPENAI_API_KEY: KEY, OPENAI_BASE_URL: server.url, OPENAI_MODEL: 'm' },
    });

    const [, , , summary, verdict] = demo.stdout.split('\n\n');
    expect({
      code: demo.code,
      stderr: demo.stderr,
      requests: server.requests.length,
      verdict,
    }).toEqual({
      code: 0,
      stderr: '',
      requests: 5,
      verdict: 'Verdict\n  Build half.',
    });
    expect(summary).toContain(`
  agents       5
  model calls  5
  tool calls   2
  tokens       500 in, 50 out
  cost         unknown: no call told its price
  errors       0
  events       28`);
    const answers: unknown[] = [];
    for await (const { event_type, payload } of readTraceEvents(demo.file))
      if (event_type === 'llm_response') answers.push(payload['response']);
    expect(answers).toEqual([...Array<string>(4).fill('I think so. Or not.'), 'Build half.']);
    expect(demo.stdout + readFileSync(demo.file, 'utf8')).not.toContain(KEY);
  });

  test('traces what fails and reports it in one line, without the key', async () => {
    await using server = await startFakeServer((response) =>
      sendJson(response, 401, {
        error: { message: `Incorrect API key provided: ${KEY}\u001b[2J` },
      }),
    );
    using demo = await runDemo(['--live'], {
      env: { OPENAI_API_KEY: KEY, OPENAI_BASE_URL: server.url },
    });

    expect({ code: demo.code, stderr: demo.stderr }).toEqual({
      code: 1,
      stderr: `The debate failed: ${server.url}/chat/completions: 401 Incorrect API key provided: [key]\\u001b[2J\n`,
    });
    expect(demo.stdout).toMatch(/\n {2}errors {7}2\n/);
    expect(demo.stdout).toContain('\nVerdict\n  none\n');
    expect(demo.stdout).not.toContain('\u001b[2J');
    expect(demo.stdout + readFileSync(demo.file, 'utf8')).not.toContain(KEY);
  });
});
