import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { KEYS } from './keys.ts';
import { applyRules, EMAILS, RULE_GROUPS } from './text-rules.ts';

const DIGITS = '0123456789';
const HEX = `${DIGITS}abcdef`;
const UPPER = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ';
const ALNUM = `${DIGITS}${UPPER}${UPPER.toLowerCase()}`;
const URL_SAFE = `${ALNUM}_-`;

/** The same characters in every run. */
let state = 1;
function characters(alphabet: string, length: number): string {
  let text = '';
  for (let i = 0; i < length; i++) {
    state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0;
    text += alphabet[(state >>> 16) % alphabet.length];
  }
  return text;
}

/** A run of characters that ends as a secret may: in a letter. */
const alnum = (length: number): string => `${characters(ALNUM, length - 1)}a`;
const urlSafe = (length: number): string => `a${characters(URL_SAFE, length - 2)}a`;
const hex = (length: number): string => characters(HEX, length);

/**
 * Shapes as the providers hand them out. Made up when they are needed, so that no scanner of repositories
 * finds one here.
 */
const SHAPES: Readonly<Record<string, readonly (() => string)[]>> = {
  anthropic_key: [() => `sk-ant-api03-${urlSafe(93)}AA`, () => `sk-ant-admin01-${urlSafe(86)}`],
  openrouter_key: [() => `sk-or-v1-${hex(64)}`],
  langfuse_key: [() => `sk-lf-${uuid()}`, () => `pk-lf-${uuid()}`],
  openai_key: [
    () => `sk-proj-${urlSafe(156)}`,
    () => `sk-svcacct-${urlSafe(120)}`,
    () => `sk-admin-${urlSafe(120)}`,
    () => `sk-${alnum(20)}T3BlbkFJ${alnum(20)}`,
    () => `sk-${hex(32)}`, // DeepSeek, Moonshot
  ],
  google_key: [
    () => `AIzaSy${urlSafe(33)}`,
    () => `GOCSPX-${urlSafe(28)}`,
    () => `ya29.${urlSafe(100)}`,
  ],
  groq_key: [() => `gsk_${alnum(52)}`],
  xai_key: [() => `xai-${alnum(80)}`],
  huggingface_key: [() => `hf_${alnum(34)}`, () => `api_org_${alnum(34)}`],
  perplexity_key: [() => `pplx-${alnum(48)}`],
  replicate_key: [() => `r8_${alnum(37)}`],
  nvidia_key: [() => `nvapi-${urlSafe(64)}`],
  cerebras_key: [() => `csk-${alnum(48)}`],
  fireworks_key: [() => `fw_${alnum(24)}`],
  langsmith_key: [() => `lsv2_pt_${hex(32)}_${hex(10)}`, () => `lsv2_sk_${hex(32)}_${hex(10)}`],
  pinecone_key: [() => `pcsk_${alnum(6)}_${alnum(60)}`],
  tavily_key: [() => `tvly-${alnum(32)}`, () => `tvly-dev-${alnum(32)}`],
  databricks_token: [() => `dapi${hex(32)}`],
  aws_access_key_id: [() => `AKIA${characters(UPPER, 16)}`, () => `ASIA${characters(UPPER, 16)}`],
  github_token: [
    ...['p', 'o', 'u', 's', 'r'].map((kind) => () => `gh${kind}_${alnum(36)}`),
    () => `github_pat_${alnum(22)}_${alnum(59)}`,
  ],
  gitlab_token: [() => `glpat-${urlSafe(20)}`, () => `gldt-${urlSafe(20)}`],
  slack_token: [
    () => `xoxb-${characters(DIGITS, 12)}-${characters(DIGITS, 12)}-${alnum(24)}`,
    () => `xoxp-${characters(DIGITS, 12)}-${characters(DIGITS, 12)}-${hex(32)}`,
    () => `xapp-1-${characters(UPPER, 10)}-${characters(DIGITS, 12)}-${hex(64)}`,
  ],
  stripe_key: [
    () => `sk_live_${alnum(24)}`,
    () => `rk_live_${alnum(24)}`,
    () => `sk_test_${alnum(99)}`,
    () => `whsec_${alnum(32)}`,
  ],
  npm_token: [() => `npm_${alnum(36)}`],
  pypi_token: [() => `pypi-AgEIcHlwaS5vcmc${urlSafe(150)}`],
  sendgrid_key: [() => `SG.${urlSafe(22)}.${urlSafe(43)}`],
  twilio_key: [() => `SK${hex(32)}`],
  mailgun_key: [() => `key-${hex(32)}`],
  shopify_token: [() => `shpat_${hex(32)}`, () => `shpss_${hex(32)}`],
  digitalocean_token: [() => `dop_v1_${hex(64)}`],
  docker_token: [() => `dckr_pat_${urlSafe(27)}`],
  linear_key: [() => `lin_api_${alnum(40)}`],
  notion_token: [() => `ntn_${characters(DIGITS, 11)}${alnum(35)}`],
  vault_token: [() => `hvs.${urlSafe(90)}`, () => `hvb.${urlSafe(90)}`],
  jwt: [
    () => `eyJ${alnum(33)}.eyJ${urlSafe(120)}.${urlSafe(43)}`,
    () => `eyJ${alnum(33)}.eyJ${urlSafe(120)}.`,
  ],
  private_key: ['RSA ', 'EC ', 'OPENSSH ', 'ENCRYPTED ', ''].map(
    (kind) => () => pem(`${kind}PRIVATE KEY`),
  ),
};

/** Where secrets stand in texts. */
const CONTEXTS: Readonly<Record<string, (secret: string) => string>> = {
  alone: (secret) => secret,
  'in a sentence': (secret) => `My key is ${secret}, please keep it.`,
  'at the end of a sentence': (secret) => `Use ${secret}.`,
  'in quotes': (secret) => `print("${secret}")`,
  'in a code block': (secret) => `\`\`\`sh\nrun --key ${secret}\n\`\`\``,
  'in JSON': (secret) => JSON.stringify({ city: 'Rome', content: secret }),
  'in JSON inside of JSON': (secret) => JSON.stringify(JSON.stringify({ note: `a\n${secret}` })),
  'as a variable of the environment': (secret) => `export SOME_NAME=${secret}\nNEXT=1`,
  'in a query': (secret) => `https://api.example.com/v1?q=1&key=${secret}&page=2`,
  'after a percent-encoded sign': (secret) => `https://example.com/?u=a%3D${secret}`,
  'in a header': (secret) => `curl -H 'x-custom: ${secret}' https://example.com`,
  'in brackets': (secret) => `[see <${secret}>]`,
  'between other letters': (secret) => `émoji 👍${secret}👍 ünd`,
  'in a list': (secret) => `- one\n- ${secret}\n- three`,
  'after a dash': (secret) => `backup-2026_${secret}`,
};

const redactText = (text: string): string => applyRules(RULE_GROUPS, text);

describe('RULE_GROUPS', () => {
  test('there is a sample of every key', () => {
    expect(Object.keys(KEYS).filter((name) => !Object.hasOwn(SHAPES, name))).toEqual([]);
  });

  for (const [name, shapes] of Object.entries(SHAPES)) {
    // Base64 with dashes is no place to look for the start of a token in
    const contexts = Object.entries(CONTEXTS).filter(
      ([context]) => name !== 'jwt' || context !== 'after a dash',
    );
    test(`finds each ${name} in ${contexts.length} contexts, says so, and finds nothing the second time`, () => {
      for (const secret of shapes.map((shape) => shape()))
        for (const [context, place] of contexts) {
          const result = redactText(place(secret));
          const beginning = JSON.stringify(secret).slice(1, 40);
          const outcome = {
            context,
            hidden: !result.includes(beginning) && result.includes(`[REDACTED ${name}]`),
            again: redactText(result),
          };
          expect(outcome).toEqual({ context, hidden: true, again: result });
        }
    });
  }

  test.each<[string, string]>([
    // url_password
    ['postgres://app:p%40ss@db.local:5432/x', 'postgres://app:[url_password]@db.local:5432/x'],
    ['redis://:hunter2@cache', 'redis://:[url_password]@cache'],
    ['mongodb+srv://u:a:b@c1,c2/x?w=1', 'mongodb+srv://u:[url_password]@c1,c2/x?w=1'],
    ['amqp://app:a/b?c#d@queue:5672/x', 'amqp://app:[url_password]@queue:5672/x'],
    [
      'git clone https://0123456789abcdef@host/x.git',
      'git clone https://[url_password]@host/x.git',
    ],
    // slack_webhook
    [
      `https://hooks.slack.com/services/T0/B0/${'a'.repeat(24)}`,
      'https://hooks.slack.com/[slack_webhook]',
    ],
    // signed_url
    ['https://x.net/a?sv=1&sig=abc%2Bdef%3D&sp=r', 'https://x.net/a?sv=1&sig=[signed_url]&sp=r'],
    ['/f?X-Amz-Signature=0123456789ab', '/f?X-Amz-Signature=[signed_url]'],
    // bearer_token, basic_auth
    ['Authorization: Bearer abcdefg1', 'Authorization: Bearer [bearer_token]'],
    ['with bearer eyQxMjM0.x_y-z==, then', 'with bearer [bearer_token], then'],
    [`Basic ${btoa('user:pass')}`, 'Basic [basic_auth]'],
    [`basic ${btoa('ab:c')} and`, 'basic [basic_auth] and'],
    [`BASIC ${btoa('a::c')}`, 'BASIC [basic_auth]'],
    // named_secret: headers
    ['authorization: token abc', 'authorization: token [named_secret]'],
    ["-H 'Authorization: ApiKey a b'", "-H 'Authorization: ApiKey [named_secret]'"],
    ['Cookie: sid=1; theme=dark\r\nHost: x', 'Cookie: [named_secret]\r\nHost: x'],
    ['set-cookie: sid=1; Path=/', 'set-cookie: [named_secret]'],
    // named_secret: quoted
    ['{"password": "swordfish"}', '{"password": "[named_secret]"}'],
    ['{"apiKey":"x"}', '{"apiKey":"[named_secret]"}'],
    ["{'client_secret': 'it\\'s'}", "{'client_secret': '[named_secret]'}"],
    ['{"password":"a\\"b","user":"c"}', '{"password":"[named_secret]","user":"c"}'],
    [
      '{\\"password\\":\\"a b\\",\\"user\\":1}',
      '{\\"password\\":\\"[named_secret]\\",\\"user\\":1}',
    ],
    ['const token = `abcdefgh`;', 'const token = `[named_secret]`;'],
    [':private_key => "x"', ':private_key => "[named_secret]"'],
    ['if (password === "x")', 'if (password === "[named_secret]")'],
    // named_secret: in code and in Markdown
    ['os.environ["API_KEY"] = "swordfish"', 'os.environ["API_KEY"] = "[named_secret]"'],
    ["process.env['API_KEY']='swordfish'", "process.env['API_KEY']='[named_secret]'"],
    ['password = """swordfish"""', 'password = """[named_secret]"""'],
    ["api_key = '''sword\"fish'''", "api_key = '''[named_secret]'''"],
    ['password = f"swordfish"', 'password = f"[named_secret]"'],
    ["token = rb'swordfish'", "token = rb'[named_secret]'"],
    ['password: str = "swordfish"', 'password: str = "[named_secret]"'],
    ['const password: string = `swordfish`;', 'const password: string = `[named_secret]`;'],
    ['**Password:** hunter2', '**Password:** [named_secret]'],
    ['**API Key**: `swordfish`', '**API Key**: `[named_secret]`'],
    // named_secret: after the sign
    ['AWS_SECRET_ACCESS_KEY=wJal/rXU+tnFE=', 'AWS_SECRET_ACCESS_KEY=[named_secret]'],
    ['DB_PASSWORD=swordfish\nDB_HOST=x', 'DB_PASSWORD=[named_secret]\nDB_HOST=x'],
    ['OPENAI_API_KEY_2=abc', 'OPENAI_API_KEY_2=[named_secret]'],
    ['user=bob&password=swordfish&x=1', 'user=bob&password=[named_secret]&x=1'],
    ['AccountName=a;AccountKey=ab/cd==;X=1', 'AccountName=a;AccountKey=[named_secret];X=1'],
    ['Server=x;Uid=sa;Pwd=swordfish;', 'Server=x;Uid=sa;Pwd=[named_secret];'],
    ['<password>swordfish</password>', '<password>[named_secret]</password>'],
    ['(token=abcdefg1)', '(token=[named_secret])'],
    // named_secret: with a digit
    ['password: hunter2', 'password: [named_secret]'],
    ['aws_secret_access_key = wJalrXUt/7bPx', 'aws_secret_access_key = [named_secret]'],
    ['X-Api-Key: 12ab34cd', 'X-Api-Key: [named_secret]'],
    ['access token : ab12cd34', 'access token : [named_secret]'],
    ['password: ab:hunter2', 'password: [named_secret]'],
    // named_secret: what the environment is given, up to a blank
    ['PASSWORD=abcd,hunter2', 'PASSWORD=[named_secret]'],
    ['export DB_PASSWORD=ab&cd;e<f>g PORT=1', 'export DB_PASSWORD=[named_secret] PORT=1'],
    ['A=1\nPASSWORD=$ecret1\nB=2', 'A=1\nPASSWORD=[named_secret]\nB=2'],
    ["  - PASSWORD=it's4me", '  - PASSWORD=[named_secret]'],
    ['docker run -e "API_KEY=ab\\cd,e" x', 'docker run -e "API_KEY=[named_secret]" x'],
    ['PASSWORD=*hunter2, PASSWORD=abc;', 'PASSWORD=[named_secret], PASSWORD=[named_secret];'],
    [
      '<b>API_KEY=abcd</b> ACCESS_TOKEN=ab,cdefg',
      '<b>API_KEY=[named_secret]</b> ACCESS_TOKEN=[named_secret]',
    ],
    ['Driver=x;Pwd={sword;fi sh};Port=1', 'Driver=x;Pwd=[named_secret];Port=1'],
    [
      'OPENAI_KEY=abc DB_PASS=a,b OTP=123',
      'OPENAI_KEY=[named_secret] DB_PASS=[named_secret] OTP=[named_secret]',
    ],
    [
      '"groq_key": "x", "db_pass": "y"',
      '"groq_key": "[named_secret]", "db_pass": "[named_secret]"',
    ],
    ['otp: 123456, api_token=1234', 'otp: [named_secret], api_token=[named_secret]'],
    ['a=b&password_confirmation=x1y2', 'a=b&password_confirmation=[named_secret]'],
    // named_secret: in attributes, in options of a command, percent-encoded
    ['<add key="DbPassword" value="a&amp;b"/>', '<add key="DbPassword" value="[named_secret]"/>'],
    ['"name": "password",\n  "value": "x",', '"name": "password",\n  "value": "[named_secret]",'],
    ['mysql --password  hunter2 -u ann', 'mysql --password  [named_secret] -u ann'],
    [
      "app --api-key 'a b' --token ab12cd34",
      "app --api-key '[named_secret]' --token [named_secret]",
    ],
    ['?next=%2Fx%3Fpassword%3Dabc', '?next=%2Fx%3Fpassword%3D[named_secret]'],
    // named_secret: beside what another rule found
    [`API_KEYS="sk-proj-${'a1'.repeat(20)},second"`, 'API_KEYS="[named_secret]"'],
    [`API_KEYS=sk-proj-${'a1'.repeat(20)},second`, 'API_KEYS=[named_secret]'],
    ['"password":"[REDACTED path] hunter2"', '"password":"[named_secret]"'],
    ['password=[REDACTED path]hunter2', 'password=[named_secret]'],
    ['password: "hunter2 [REDACTED path]"', 'password: "[named_secret]"'],
    ['Authorization: token [REDACTED path],second', 'Authorization: token [named_secret]'],
    ['redis://:[REDACTED path]hunter2@cache', 'redis://:[url_password]@cache'],
  ])('%s', (text, expected) => {
    expect(redactText(text).replaceAll('[REDACTED ', '[')).toBe(expected);
    expect(redactText(redactText(text))).toBe(redactText(text));
  });

  test('a private key without its end takes all that follows with it', () => {
    const cut = pem('PRIVATE KEY').slice(0, 300);

    expect(redactText(`before\n${cut}\nafter`)).toBe('before\n[REDACTED private_key]');
  });

  test.each([
    'The password: must have 8 characters.',
    'Is there a secret: yes.',
    'Basic Economy fares, basic Options, Basic Overview, and basic understanding of JavaScript',
    'bearer authentication, the standard-bearer responsible',
    'input_tokens: 1234567, "output_tokens":1234567, max_tokens=123456789',
    '"max_token": 123456789, total_token=123456789',
    '{"token": "Hello", "logprob": -0.1}',
    '{"token": " administration", "logprob": -0.1}',
    '{"token":"JavaScript","logprob":-0.1}, {"token": "getElement", "logprob": -2}',
    'next_page_token=abcdefgh1234, eos_token: "<|endoftext|>"',
    'connect(user=user, password=password)',
    'api_key = os.environ["OPENAI_API_KEY"]',
    'apiKey: process.env.OPENAI_API_KEY,',
    'token=$TOKEN password=${PASSWORD} secret=<your-secret> API_KEY=***',
    'secret=true token=null password=undefined',
    'const secret = getSecret1();',
    'headers: { authorization: `Bearer ${key}` }',
    "console.log('password:', password);",
    "prompt('Token: ' + name)",
    'os.environ["API_KEY"] = api_key, env["TOKEN"] = os.environ["TOKEN"]',
    'password: str = "", password: string = getPassword("a"), def f(password: str = None)',
    'password: str, token: string; **Password:** at least 8 characters, **Token**: none',
    'if (options["password"] === undefined) throw new Error("the password is missing")',
    '.arguments("<username> <password>");',
    'PWD=/srv/app OLDPWD=/srv',
    'API_KEY=$KEY TOKEN=${MY_TOKEN} SECRET=$(cat secret) PASSWORD=$1 API_KEY=%KEY% PASSWORD=$other',
    'API_KEY=<your key> PASSWORD=******** API_KEY=... SECRET={{ secret }} PASSWORD=None',
    'f(x, API_KEY=API_KEY, PASSWORD=os.environ["X"])',
    'desktop: 1234567, by-pass: 1234567a, hotkey=ctrl1234, the key: abc1234',
    'MAX_TOKEN=100000000, <Login password={password} />, access token: https://example.com/v2',
    '"authorization": "Bearer [REDACTED bearer_token]", password=[REDACTED path], x',
    'password: "" and API_KEY=',
    'Authorization: required for all requests',
    'Cookie: a small text file',
    'https://example.com:8080/@user and http://localhost:3000/?x=a@b.c',
    'ssh://host:22/a@b redis://cache:6379?x=a@b https://example.com/@user123456789012345@x',
    'use --password to log in, --token $TOKEN1, --api-key <key1>, --secret --port8080, -- password 1234567',
    '<input name="email" value="a1"/>, { key: "password", value: "" }',
    'mailto:a@b.c, git@github.com:a/b.git',
    `postgres://\${user}:\${password}@host`,
    'task-proj-management-of-a-longer-name, disk-ant-colony-optimization-of-routes',
    'sk-learn, hf_hub_download, npm_config_registry, gsk_test, key-value',
    '4bf92f3577b34da6a3ce929d0e0e4736 00f067aa0ba902b7',
    '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01',
    'ssh-rsa AAAAB3NzaC1yc2EAAAADAQABAAABgQC7 user@host',
    '-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----',
    '-----BEGIN PUBLIC KEY-----\nMIIB\n-----END PUBLIC KEY-----',
    'primary_key: id_12345, sort_key=created_at1, keyboard: qwerty123',
    'sha256-47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=',
  ])('leaves alone: %s', (text) => {
    expect(redactText(text)).toBe(text);
  });

  const root = new URL('../../../../', import.meta.url);
  const data = new URL('../shared/data/tau-bench-airline-40.jsonl', root);
  test.skipIf(!existsSync(data))(
    'finds nothing in 40 recorded conversations (skipped where they are absent)',
    () => {
      const text = readFileSync(data, 'utf8');

      expect(text.split('\n').filter((line) => redactText(line) !== line)).toEqual([]);
    },
  );

  test('finds nothing in the specification and its fixtures', () => {
    const spec = new URL('spec/', root);
    const lines = readdirSync(spec, { recursive: true, encoding: 'utf8' })
      .filter((name) => /\.(?:md|json|jsonl)$/.test(name))
      .flatMap((name) => readFileSync(new URL(name, spec), 'utf8').split('\n'));

    expect(lines.length).toBeGreaterThan(100);
    expect(lines.filter((line) => redactText(line) !== line)).toEqual([]);
  });
});

describe('EMAILS', () => {
  test.each([
    ['write to ann.lee+x@mail.example.co.uk.', 'write to [REDACTED email].'],
    ['<a@b.cd>, c@d.ef', '<[REDACTED email]>, [REDACTED email]'],
    ['user@localhost, @types/node, a@b', 'user@localhost, @types/node, a@b'],
  ])('%s', (text, expected) => {
    expect(applyRules([EMAILS], text)).toBe(expected);
  });
});

function uuid(): string {
  return [8, 4, 4, 4, 12].map(hex).join('-');
}

function pem(label: string): string {
  const lines = Array.from({ length: 12 }, () => characters(`${ALNUM}+/`, 64));
  return [`-----BEGIN ${label}-----`, ...lines, `-----END ${label}-----`].join('\n');
}
