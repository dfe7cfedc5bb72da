import { beforeEach, describe, expect, test, vi } from 'vitest';
import { TraceEventBus } from '../bus.ts';
import { encodeTraceEvent } from '../encode.ts';
import { TraceError } from '../errors.ts';
import { createTraceEvent, type TraceEvent, type TracePayload } from '../event.ts';
import { hostilePayloads } from '../testing/hostile-payloads.ts';
import { MemoryExporter } from '../testing/memory-exporter.ts';
import { sampleRun } from '../testing/sample-run.ts';
import { redact, type RedactOptions } from './redact.ts';

/** Made up here, so that no scanner of repositories takes it for a leak. */
const KEY = `sk-proj-${'Ab1'.repeat(20)}`;
const HIDDEN = '[REDACTED openai_key]';
const NAMED = '[REDACTED named_secret]';

function eventOf(payload: TracePayload, init: Partial<TraceEvent> = {}): TraceEvent {
  return createTraceEvent({ timestamp: 1, event_type: 'llm_call', payload, ...init });
}

function fails(): never {
  throw new Error('no');
}

/** What is left of a payload. */
function redacted(payload: TracePayload, options: RedactOptions = {}): TracePayload {
  return redact(options)(eventOf(payload)).payload;
}

describe('redact', () => {
  test('hides a secret in any text, at any depth, and says which rule found it', () => {
    const payload = {
      trace_id: 'a',
      messages_in: [
        { role: 'user', content: `My key is ${KEY}.` },
        { role: 'user', content: [{ type: 'text', text: KEY }, ['a', [KEY]]] },
      ],
      metadata: { deep: { er: [{ note: KEY }] }, count: 3, ok: true, none: null },
      tags: ['a', KEY],
    };

    expect(redacted(payload)).toEqual({
      trace_id: 'a',
      messages_in: [
        { role: 'user', content: `My key is ${HIDDEN}.` },
        { role: 'user', content: [{ type: 'text', text: HIDDEN }, ['a', [HIDDEN]]] },
      ],
      metadata: { deep: { er: [{ note: HIDDEN }] }, count: 3, ok: true, none: null },
      tags: ['a', HIDDEN],
    });
  });

  test('changes a copy, and shares with it what holds no secret', () => {
    const clean = { role: 'user', content: 'hello' };
    const payload = { messages_in: [clean, { role: 'user', content: KEY }] };
    const before = structuredClone(payload);

    const after = redacted(payload) as typeof payload;

    expect(payload).toEqual(before);
    expect(after.messages_in[0]).toBe(clean);
  });

  test('passes an event with nothing to hide as it is', () => {
    const processor = redact({ emails: true, paths: ['metadata.none'], patterns: { own: /zzz/ } });

    for (const event of sampleRun()) expect(processor(event)).toBe(event);
    const literal = { ...(sampleRun()[2] as TraceEvent), payload: { cost_usd: [Number.NaN, -0] } };
    expect(processor(literal)).toBe(literal);
  });

  test('hides secrets in data that is no event', () => {
    const redactor = redact({ patterns: { own: /zzz/ } });
    const clean = { content: 'hello' };

    expect(redactor.data({ api_key: 'swordfish', texts: [`${KEY} zzz`] })).toEqual({
      api_key: NAMED,
      texts: [`${HIDDEN} [REDACTED own]`],
    });
    expect(redactor.data('{"password": "swordfish"}')).toBe(`{"password": "${NAMED}"}`);
    expect(redactor.data(clean)).toBe(clean);
    expect(redactor.stats()).toEqual({ events: 0, redacted: 0, failed: 0 });
  });

  test('hides a secret in a key, and keeps two keys apart', () => {
    expect(redacted({ a: 1, [KEY]: 2, [`${KEY}1`]: 3, b: 4 })).toEqual({
      a: 1,
      [HIDDEN]: 2,
      [`${HIDDEN} 2`]: 3,
      b: 4,
    });
  });

  test('hides a secret in the name of an agent, a pattern and an unknown event type', () => {
    const event = eventOf({}, { event_type: KEY, agent_name: `a ${KEY}`, pattern_type: KEY });

    expect(redact()(event)).toEqual({
      timestamp: 1,
      event_type: HIDDEN,
      agent_name: `a ${HIDDEN}`,
      pattern_type: HIDDEN,
      payload: {},
    });
  });

  test('keeps a __proto__ of the payload what it is', () => {
    const payload = JSON.parse(`{"__proto__":{"admin":"${KEY}"},"a":1}`) as TracePayload;

    expect(JSON.stringify(redacted(payload))).toBe(`{"__proto__":{"admin":"${HIDDEN}"},"a":1}`);
  });

  test('the marker of a secret has no secret: an event that was redacted passes as it is', () => {
    const once = redact()(
      eventOf({ password: 'a b', headers: { Authorization: 'Bearer x1' }, KEY }),
    );

    expect(redact()(once)).toBe(once);
  });
});

describe('redact, what is named like a secret', () => {
  test.each([
    'password',
    'Password',
    'dbPassword',
    'user_password',
    'passwd',
    'passphrase',
    'db_pwd',
    'secret',
    'secrets',
    'client_secret',
    'clientSecret',
    'api_key',
    'apiKey',
    'APIKEY',
    'x-api-key',
    'X-Goog-Api-Key',
    'Ocp-Apim-Subscription-Key',
    'OPENAI_API_KEY',
    'OPENAI_API_KEY_2',
    'api key',
    'AWS_SECRET_ACCESS_KEY',
    'private_key',
    'privateKeyPem',
    'AccountKey',
    'SharedAccessKey',
    'connection_string',
    'ConnectionString',
    'credentials',
    'authorization',
    'Proxy-Authorization',
    'cookie',
    'Set-Cookie',
    'cookies',
    'token',
    'access_token',
    'refreshToken',
    'id_token',
    'X-Auth-Token',
    'csrf-token',
    'aws_session_token',
    'OPENAI_KEY',
    'azureKey',
    'google-key',
    'ssh_key',
    'storage_key',
    'DB_PASS',
    'smtpPass',
    'pass',
    'auth',
    'x-auth',
    'jwt',
    'user_jwt',
    'bearer',
    'csrf',
    '_csrf',
    'otp',
    'totp',
    'passwordConfirmation',
    'password_confirm',
  ])('hides the value of %s', (name) => {
    expect(redacted({ metadata: { [name]: 'x' } })).toEqual({ metadata: { [name]: NAMED } });
  });

  test.each([
    'input_tokens',
    'output_tokens',
    'max_tokens',
    'total_tokens',
    'token_count',
    'tokens',
    'token_type',
    'eos_token',
    'padToken',
    'next_page_token',
    'nextToken',
    'password_policy',
    'secretary',
    'primary_key',
    'key',
    'keyboard',
    'pwd',
    'PWD',
    'author',
    'authorization_url',
    'cookie_policy',
    'api_key_name',
    'session_id',
    'user_id',
    'first_pass',
    'bypass',
    'oauth',
    'auth_type',
    'desktop',
    'hotkey',
    'storage_key_name',
  ])('leaves the value of %s', (name) => {
    const payload = { metadata: { [name]: 'x' } };
    expect(redacted(payload)).toBe(payload);
  });

  test('hides numbers, lists and objects too, but no flag, no count and nothing empty', () => {
    expect(
      redacted({
        password: 1234,
        secrets: ['a', 'b'],
        cookies: { sid: 'a' },
        token: 12,
        is_secret: true,
        credentials: null,
        api_key: '',
        cookie: {},
        private_key: undefined,
      }),
    ).toStrictEqual({
      password: NAMED,
      secrets: NAMED,
      cookies: NAMED,
      token: 12,
      is_secret: true,
      credentials: null,
      api_key: '',
      cookie: {},
      private_key: undefined,
    });
  });

  test('of a name that may be another thing, hides texts and lists of them alone', () => {
    const payload = {
      checks: [{ pass: 12 }, { pass: true }, { pass: 'no' }, { auth: '' }],
      jwt: { alg: 'HS256', secret: 'x' },
      auth: { username: 'ann', password: 'x' },
    };

    expect(redacted({ ...payload, proxy: { auth: ['ann', 'x'] } })).toEqual({
      ...payload,
      jwt: { alg: 'HS256', secret: NAMED },
      auth: { username: 'ann', password: NAMED },
      proxy: { auth: [NAMED, NAMED] },
    });
  });

  test('hides tokens that are no words and no counts', () => {
    const counts = {
      tokens: 12,
      api_tokens: 12,
      tokenizer: { tokens: ['Hello', ' 2026', '<|x_1|>'] },
    };

    expect(
      redacted({ ...counts, api_token: 1234, auth: { tokens: ['Ab12cd34', 'word'] } }),
    ).toEqual({ ...counts, api_token: NAMED, auth: { tokens: [NAMED, 'word'] } });
    expect(redacted({ a: { tokens: 'Ab12cd34' } })).toEqual({ a: { tokens: NAMED } });
  });

  test('says which key it was where the value is one', () => {
    expect(redacted({ api_key: KEY, token: `prefix ${KEY}` })).toEqual({
      api_key: HIDDEN,
      token: NAMED,
    });
  });

  test('hides the values in lists of names and values', () => {
    expect(
      redacted({
        headers: [
          { name: 'X-Api-Key', value: 'x' },
          { name: 'Accept', value: 'text/html' },
        ],
        env: [{ key: 'DB_PASSWORD', value: 'x' }],
        tags: [
          { Name: 'DB_PASSWORD', Value: 'x' },
          { Key: 'stage', Value: 'live' },
        ],
      }),
    ).toEqual({
      headers: [
        { name: 'X-Api-Key', value: NAMED },
        { name: 'Accept', value: 'text/html' },
      ],
      env: [{ key: 'DB_PASSWORD', value: NAMED }],
      tags: [
        { Name: 'DB_PASSWORD', Value: NAMED },
        { Key: 'stage', Value: 'live' },
      ],
    });
  });

  test('hides the values in pairs, as Headers, Node and cloud tools write them', () => {
    expect(
      redacted({
        headers: [...new Headers({ 'x-api-key': 'x', accept: 'text/html' })],
        rawHeaders: ['Accept', 'text/html', 'X-Api-Key', 'x', 'Cookie'],
        sent: [{ header: 'X-Api-Key', value: 'x' }],
        form: [{ key: 'password', val: 'x' }],
        stack: [{ ParameterKey: 'DbPassword', ParameterValue: 'x' }],
        fields: ['password', 'email'],
        edges: [['password', 'x', 'y']],
      }),
    ).toEqual({
      headers: [
        ['accept', 'text/html'],
        ['x-api-key', NAMED],
      ],
      rawHeaders: ['Accept', 'text/html', 'X-Api-Key', NAMED, 'Cookie'],
      sent: [{ header: 'X-Api-Key', value: NAMED }],
      form: [{ key: 'password', val: NAMED }],
      stack: [{ ParameterKey: 'DbPassword', ParameterValue: NAMED }],
      fields: ['password', 'email'],
      edges: [['password', 'x', 'y']],
    });
  });

  test.each<[string, unknown, unknown]>([
    ['a list', { passwords: ['x'] }, { passwords: NAMED }],
    ['an object', { credentials: { user: 'x' } }, { credentials: NAMED }],
    [
      'a name and its value',
      [{ name: 'X-Api-Key', value: 'x' }],
      [{ name: 'X-Api-Key', value: NAMED }],
    ],
    ['a name that may be another thing', { auth: 'x' }, { auth: NAMED }],
    ['pairs', [['x-api-key', 'x']], [['x-api-key', NAMED]]],
    ['quotes and escapes', { password: ', "\\\n"x' }, { password: NAMED }],
    [
      'a __proto__',
      JSON.parse('{"__proto__":{"tokens":"x","cookies":["x"]}}'),
      JSON.parse(`{"__proto__":{"tokens":"x","cookies":"${NAMED}"}}`),
    ],
  ])('looks at a text that is JSON as what it is: %s', (_, value, expected) => {
    let [text, hidden] = [JSON.stringify(value), JSON.stringify(expected)];
    for (let level = 1; level <= 4; level++) {
      expect(redacted({ arguments: text })).toEqual({ arguments: hidden });
      [text, hidden] = [JSON.stringify({ a: 1, text }), JSON.stringify({ a: 1, text: hidden })];
    }
  });

  test('keeps a JSON text as it is written where the rules for texts suffice', () => {
    const text = '{ "id": 12345678901234567890, "password": "x" }';

    expect(redacted({ text })).toEqual({ text: text.replace('x', NAMED) });
    expect(redacted({ a: '{"passwords": []}' })).toEqual({ a: '{"passwords": []}' });
  });

  test('a JSON text that is too deep is a text', () => {
    const text = `${'['.repeat(100_000)}"password"${']'.repeat(100_000)}`;

    expect(redacted({ text })).toEqual({ text });
  });

  test('leaves the tokens of an answer with their probabilities', () => {
    const payload = {
      logprobs: [
        { token: 'Hello', logprob: -0.1, top_logprobs: [{ token: 'Hi', logprob: -2 }] },
        { index: 1, token: { id: 5, text: ' you', logprob: -0.2 } },
      ],
    };
    expect(redacted(payload)).toBe(payload);
  });

  test('leaves the schema of an argument that is called like a secret, but not what it holds', () => {
    const properties = {
      password: { type: 'string', description: 'The password.' },
      token: { anyOf: [{ type: 'string' }, { type: 'null' }] },
      api_key: { type: ['string', 'null'] },
    };
    const payload = {
      tools: [{ name: 'login', parameters: { properties, required: ['password'] } }],
    };
    expect(redacted(payload)).toBe(payload);

    const account = { type: 'service_account', private_key: 'x' };
    expect(redacted({ credentials: account })).toEqual({ credentials: NAMED });
    // what `terraform output -json` says of a value
    const output = { sensitive: true, type: 'string', value: 'x' };
    expect(redacted({ db_password: output })).toEqual({ db_password: NAMED });
    expect(redacted({ password: { type: 'string', default: KEY } })).toEqual({
      password: { type: 'string', default: HIDDEN },
    });
  });

  test('remembers a bounded number of names', () => {
    const processor = redact();
    for (let i = 0; i < 3_000; i++) processor(eventOf({ [`key_${i}`]: 1 }));

    expect(processor(eventOf({ password: 'x', [`x${KEY}`]: 1, [KEY]: 1 })).payload).toEqual({
      password: NAMED,
      [`x${KEY}`]: 1,
      [HIDDEN]: 1,
    });
  });
});

describe('redact, what is no plain data', () => {
  test('hides what only the written form shows, and hands that on', () => {
    class Account {
      readonly key = KEY;
      #hidden = KEY;
      toJSON(): unknown {
        return { key: this.key, hidden: this.#hidden };
      }
    }
    const error = new TypeError(`no access with ${KEY}`, { cause: new Error(KEY) });
    error.stack = `TypeError: ${KEY}\n    at x`;
    const payload = {
      error,
      map: new Map<unknown, unknown>([
        ['password', 'x'],
        [{ id: KEY }, new Set([KEY])],
      ]),
      account: new Account(),
      get lazy(): string {
        return KEY;
      },
      symbol: Symbol(KEY),
      boxed: Object(KEY) as unknown,
      at: new Date(0),
      bytes: Buffer.from(KEY),
      list: Object.assign([KEY], { extra: KEY }),
    };

    expect(redacted(payload)).toEqual({
      error: {
        name: 'TypeError',
        message: `no access with ${HIDDEN}`,
        stack: `TypeError: ${HIDDEN}\n    at x`,
        cause: { name: 'Error', message: HIDDEN, stack: expect.stringContaining(HIDDEN) as string },
      },
      map: { password: NAMED, [`{"id":"${HIDDEN}"}`]: [HIDDEN] },
      account: { key: HIDDEN, hidden: HIDDEN },
      lazy: HIDDEN,
      symbol: `[Symbol(${HIDDEN})]`,
      boxed: HIDDEN,
      at: '1970-01-01T00:00:00.000Z',
      bytes: `[Buffer ${KEY.length} bytes]`,
      list: [HIDDEN],
    });
  });

  test('hands on the data it looked at, also where nothing was hidden', () => {
    const processor = redact();
    const event = eventOf({ at: new Date(0), big: 1n });

    expect(processor(event)).toEqual({
      ...event,
      payload: { at: '1970-01-01T00:00:00.000Z', big: '1' },
    });
    expect(processor.stats()).toEqual({ events: 1, redacted: 0, failed: 0 });
  });

  test('a toJSON that shows another face the second time is asked once', () => {
    const faces = ['clean', KEY];
    const event = redact()(eventOf({ value: { toJSON: () => faces.shift() } }));

    expect(encodeTraceEvent(event)).not.toContain(KEY);
  });

  test('takes every hostile payload, and writes it as it would be written', () => {
    const processor = redact();
    const lines = hostilePayloads().map(({ name, payload }) => {
      const event = { ...eventOf({}), payload };
      return { name, written: encodeTraceEvent(event), line: encodeTraceEvent(processor(event)) };
    });

    // the bounds of what is written count from the payload on here, from the event on there
    const whole = lines.filter(({ written }) => !written.includes('[Truncated'));
    expect(whole.length).toBeGreaterThan(30);
    for (const { name, written, line } of whole)
      expect({ name, line }).toEqual({ name, line: written });
    expect(processor.stats()).toMatchObject({ redacted: 0, failed: 0 });
  });
});

describe('redact, options', () => {
  test('paths hides what is there, whatever it is', () => {
    const payload = {
      metadata: { customer: { name: 'Ann', age: 7 }, visits: 3, none: null },
      messages_in: [{ role: 'user', content: 'a' }, { role: 'tool' }],
      list: [['a', 'b'], 'c'],
    };
    const paths = [
      'metadata.customer.*',
      'metadata.visits',
      'metadata.none',
      'metadata.absent.deeper',
      'messages_in.*.content',
      'list.0.1',
      'toString',
    ];
    const hidden = '[REDACTED path]';

    const after = redacted(payload, { paths });

    expect(after).toEqual({
      metadata: { customer: { name: hidden, age: hidden }, visits: hidden, none: null },
      messages_in: [{ role: 'user', content: hidden }, { role: 'tool' }],
      list: [['a', hidden], 'c'],
    });
    const again = eventOf(after);
    expect(redact({ paths })(again)).toBe(again);
  });

  test('patterns are regular expressions and functions, tried on keys and names too', () => {
    const processor = redact({
      patterns: {
        customer_id: /\bC-\d{4}\b/,
        word: /SECRETPLAN/iy, // neither sticky nor once only
        shout: (text) => text.replaceAll('Ann', '[a customer]'),
      },
    });
    const event = eventOf(
      { 'C-1234': 'of C-1234 and C-5678: secretplan, SecretPlan', list: ['Ann'] },
      { agent_name: 'Ann' },
    );

    expect(processor(event)).toEqual({
      ...event,
      agent_name: '[a customer]',
      payload: {
        '[REDACTED customer_id]':
          'of [REDACTED customer_id] and [REDACTED customer_id]: [REDACTED word], [REDACTED word]',
        list: ['[a customer]'],
      },
    });
  });

  test('e-mail addresses are hidden on request', () => {
    const payload = { content: 'from ann@example.com' };

    expect(redacted(payload)).toBe(payload);
    expect(redacted(payload, { emails: true })).toEqual({ content: 'from [REDACTED email]' });
  });

  test.each<[unknown, string]>([
    [{ path: ['a'] }, 'redact: unknown option "path"; known are paths, patterns, emails'],
    [{ paths: 'a' }, 'redact: paths: expected array, got a string'],
    [
      { paths: ['a..b'] },
      'redact: paths.0: expected keys joined by dots, from the payload on, got "a..b"',
    ],
    [
      { paths: ['payload.t', `payload.${'t'.repeat(100)}`] },
      'redact: paths.0: expected keys joined by dots, from the payload on, got "payload.t"; ' +
        `paths.1: expected keys joined by dots, from the payload on, got "payload.${'t'.repeat(52)}"`,
    ],
    [{ paths: [1] }, 'redact: paths.0: expected string, got 1'],
    [
      { patterns: { 'a b': /a/ } },
      'redact: patterns.a b: expected a name such as customer_id, got a string',
    ],
    [{ patterns: { a: 'a' } }, 'redact: patterns.a: expected a RegExp or a function, got a string'],
    [{ patterns: { a: /x*/ } }, 'redact: patterns.a: matches an empty text, and so every text'],
    [{ emails: 1 }, 'redact: emails: expected boolean, got 1'],
  ])('refuses %j', (options, message) => {
    expect(() => redact(options as RedactOptions)).toThrow(
      new TraceError('invalid_option', message),
    );
  });
});

describe('redact, when a pattern fails', () => {
  beforeEach(() => {
    vi.useFakeTimers();
    return () => vi.useRealTimers();
  });

  const ids = { trace_id: 'af'.repeat(16), span_id: '00f067aa0ba902b7', parent_span_id: 'a-1' };
  test('the payload is left out, and what pairs the event stays', () => {
    const processor = redact({ patterns: { own: (text) => (text === 'boom' ? fails() : text) } });
    const event = eventOf(
      { ...ids, session_id: 's', status: 'error', message: 'boom' },
      { agent_name: 'bull', pattern_type: 'debate' },
    );

    expect(processor(event)).toEqual({
      ...event,
      payload: { ...ids, status: 'error', redacted: '[REDACTED failed]' },
    });
    expect(processor.stats()).toEqual({ events: 1, redacted: 1, failed: 1 });
  });

  test('ids that may be secrets, and names that cannot be cleaned, are left out', () => {
    const event = eventOf(
      { trace_id: KEY, span_id: 7, status: KEY },
      { event_type: 'own', agent_name: 'bull' },
    );

    expect(redact({ patterns: { own: fails } })(event)).toEqual({
      timestamp: 1,
      event_type: '[REDACTED failed]',
      agent_name: '[REDACTED failed]',
      pattern_type: '[REDACTED failed]',
      payload: { redacted: '[REDACTED failed]' },
    });
  });

  test('a function that returns no text has failed', () => {
    const nothing = (() => undefined) as unknown as (text: string) => string;

    expect(redacted({ message: 'text' }, { patterns: { nothing } })).toEqual({
      redacted: '[REDACTED failed]',
    });
  });

  test('patterns that take over 100 ms for an event have failed, on the next they are tried again', () => {
    const processor = redact({
      patterns: {
        slow: (text) => {
          if (text.startsWith('slow')) vi.advanceTimersByTime(60);
          return text;
        },
      },
    });

    expect(processor(eventOf({ a: 'slow 1', b: 'slow 2', c: 'text' })).payload).toEqual({
      redacted: '[REDACTED failed]',
    });
    const next = eventOf({ a: 'slow 3', b: 'text' });
    expect(processor(next)).toBe(next);
    expect(processor.stats()).toEqual({ events: 2, redacted: 1, failed: 1 });
  });

  test('an exporter behind a bus gets the event without its payload, and no error', async () => {
    const bus = new TraceEventBus();
    const exporter = new MemoryExporter();
    bus.attach(exporter, { processors: [redact({ patterns: { own: fails } })] });

    bus.emit(eventOf({ message: 'a' }));

    expect(await bus.flush()).toEqual([
      { exporter: 'memory', delivered: 1, failed: 0, dropped: 0, pending: 0 },
    ]);
    expect(exporter.events.map(({ payload }) => payload)).toEqual([
      { redacted: '[REDACTED failed]' },
    ]);
  });
});
