import { execFile } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';

const run = promisify(execFile);
const repo = fileURLToPath(new URL('..', import.meta.url));
const core = join(repo, 'packages/core');
/** A compiler and a Node process, on a machine that runs other tests beside them. */
const TIMEOUT_MS = 60_000;

let app: string;

// An app that has one version of core, and a package in it that brought another.
beforeAll(async () => {
  app = mkdtempSync(join(tmpdir(), 'two-copies-'));
  const first = join(app, 'node_modules/@pyagent-trace/core');
  const second = join(app, 'node_modules/guest/node_modules/@pyagent-trace/core');
  mkdirSync(first, { recursive: true });
  const { name, version, type, dependencies, publishConfig } = JSON.parse(
    readFileSync(join(core, 'package.json'), 'utf8'),
  );
  const manifest = { name, version, type, dependencies, exports: publishConfig.exports };
  writeFileSync(join(first, 'package.json'), JSON.stringify(manifest));
  await compile(join(first, 'dist'));
  cpSync(first, second, { recursive: true });
  writeFileSync(join(second, 'package.json'), JSON.stringify({ ...manifest, version: '9.0.0' }));
  writeFileSync(
    join(app, 'node_modules/guest/package.json'),
    '{ "name": "guest", "type": "module", "exports": "./index.js" }',
  );
  writeFileSync(
    join(app, 'node_modules/guest/index.js'),
    "export * from '@pyagent-trace/core';\nexport * from '@pyagent-trace/core/tracer';\n",
  );
}, TIMEOUT_MS);

afterAll(() => rmSync(app, { recursive: true, force: true }));

async function compile(outDir: string): Promise<void> {
  const tsc = join(repo, 'node_modules/typescript/bin/tsc');
  const output = ['--outDir', outDir, '--tsBuildInfoFile', join(outDir, '.tsbuildinfo')];
  await run(process.execPath, [tsc, '-p', join(core, 'tsconfig.build.json'), ...output]);
}

/** Runs an app in which `host` and `guest` are the two copies; `result` is what it found out. */
async function runApp(body: string): Promise<unknown> {
  writeFileSync(
    join(app, 'main.mjs'),
    `import * as host from '@pyagent-trace/core';
import * as guest from 'guest';
${body}
console.log(JSON.stringify(result));
`,
  );
  const { stdout } = await run(process.execPath, [join(app, 'main.mjs')], { cwd: app });
  return JSON.parse(stdout);
}

describe('two copies of core in one app', () => {
  test('are two copies', { timeout: TIMEOUT_MS }, async () => {
    expect(
      await runApp('const result = { sameBus: host.TraceEventBus === guest.TraceEventBus };'),
    ).toEqual({ sameBus: false });
  });

  test('know each other’s errors', { timeout: TIMEOUT_MS }, async () => {
    const result = await runApp(`
const result = {};
try {
  new guest.TraceEventBus({ onEror: () => {} });
} catch (error) {
  result.instanceof = error instanceof host.TraceError;
  result.isInstance = host.TraceError.isInstance(error);
  result.code = error.code;
}`);

    expect(result).toEqual({ instanceof: false, isInstance: true, code: 'invalid_option' });
  });

  test(
    'deliver each other’s events, and know each other’s exporters',
    { timeout: TIMEOUT_MS },
    async () => {
      const result = await runApp(`
const bus = new guest.TraceEventBus({ onError: () => {} });
const seen = [];
const exporter = {
  name: 'array',
  exportEvent: (event) => seen.push(event),
  flush: async () => {},
  shutdown: async () => {},
  stats: () => ({ accepted: seen.length, dropped: 0, delivered: seen.length, failed: 0, pending: 0 }),
  [Symbol.asyncDispose]: async () => {},
};
bus.attach(exporter);
const init = { event_type: 'llm_call', timestamp: 1, payload: { model: 'gpt-4o' } };
const event = host.createTraceEvent(init);
bus.emit(event);
bus.emit(host.createTraceEvent({ ...init, timestamp: -1 }));
const stats = bus.stats();
const result = {
  isTraceExporter: [host.isTraceExporter(exporter), guest.isTraceExporter(exporter)],
  same: seen[0] === event,
  encoded: host.encodeTraceEvent(event) === guest.encodeTraceEvent(event),
  counts: [stats.emitted, stats.accepted, stats.dropped],
  receipts: await bus.shutdown(),
};`);

      expect(result).toEqual({
        isTraceExporter: [true, true],
        same: true,
        encoded: true,
        counts: [2, 1, 1],
        receipts: [{ exporter: 'array', delivered: 1, failed: 0, dropped: 0, pending: 0 }],
      });
    },
  );

  test(
    'share where the code is: one traces inside the other',
    { timeout: TIMEOUT_MS },
    async () => {
      const result = await runApp(`
import { createTracer } from '@pyagent-trace/core/tracer';
const payloads = [];
const bus = new host.TraceEventBus();
bus.subscribe(({ event_type, payload }) => payloads.push({ event_type, ...payload }));
const outer = createTracer(bus);
const inner = guest.createTracer(bus);
const failure = new Error('once');
await outer
  .agent('bull', async () => {
    await Promise.resolve();
    await inner.llmCall({ model: 'm' }, async () => {
      throw failure;
    });
  })
  .catch(() => {});
const [agent, call] = payloads;
const result = {
  sameTracer: createTracer === guest.createTracer,
  child: call.parent_span_id === agent.span_id && call.trace_id === agent.trace_id,
  errors: payloads.filter(({ event_type }) => event_type === 'error').length,
};`);

      expect(result).toEqual({ sameTracer: false, child: true, errors: 1 });
    },
  );
});
