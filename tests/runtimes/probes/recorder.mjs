import { readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { join } from 'node:path';
import { encodeTraceEvent, TraceEventBus } from '@pyagent-trace/core';
import { sampleRun } from '@pyagent-trace/core/testing';
import { createTracer } from '@pyagent-trace/core/tracer';
import {
  cassetteFetch,
  createReplayer,
  diffTraces,
  formatDiff,
  Recorder,
} from '@pyagent-trace/recorder';
import { brokenRules } from '../contract.mjs';
import { inFolder } from '../folder.mjs';

/** Asks for everything that a replay answers: an object, a stream, a throw, a decision. */
async function ask(tracer) {
  const weather = await tracer.tool('weather', { town: 'Westerhaven' }, async () => ({
    sky: 'grey',
  }));
  const stream = tracer.llmCall({ model: 'gpt-4o' }, async function* () {
    yield { delta: 'Take ' };
    yield { delta: 'a coat.' };
  });
  const chunks = [];
  for await (const chunk of stream) chunks.push(chunk);
  const problem = await tracer
    .tool('news', {}, async () => {
      throw new TypeError('no news');
    })
    .catch((error) => [error.name, error.message]);
  const route = tracer.routing({ difficulty: 3 }, () => 'gpt-4o-mini');
  return [weather, chunks, problem, route];
}

async function replayed(path, mode) {
  const replay = await createReplayer(path, { mode });
  const answers = await ask(createTracer(new TraceEventBus(), { interceptors: [replay] }));
  await replay.close();
  return [answers, replay.stats()];
}

/** Streams its answer, or refuses, by the path. */
function answer(request, response) {
  response.setHeader('content-type', 'text/event-stream');
  response.statusCode = request.url === '/busy' ? 429 : 200;
  response.write('data: Take \n\n');
  response.end('data: a coat.\n\n');
}

async function fetched(options, port) {
  const fetch = cassetteFetch(options);
  const texts = [];
  for (const path of ['weather', 'busy']) {
    const body = JSON.stringify({ model: 'gpt-4o', stream: true });
    const response = await fetch(`http://127.0.0.1:${port}/${path}`, { method: 'POST', body });
    texts.push([response.status, await response.text()]);
  }
  await fetch.close();
  return [texts, fetch.stats()];
}

const linesOf = (events) => events.map((event) => `${encodeTraceEvent(event)}\n`).join('');

export const features = {
  'a recording by hand': inFolder(async (folder) => {
    const path = join(folder, 'deep', 'run.jsonl');
    const recorder = new Recorder();
    recorder.start('debate');
    const messages = [{ role: 'user', content: 'Buy?' }];
    recorder.recordLlmCall({ agent_name: 'bull', messages, response: 'Buy.' });
    recorder.end('Buy.');
    await recorder.save(path);
    const entries = await Recorder.load(path);
    return entries.map(({ event_type, messages_in, response }) => [
      event_type,
      messages_in,
      response,
    ]);
  }),
  'a run, straight to a file': inFolder(async (folder) => {
    const path = join(folder, 'run.jsonl');
    const bus = new TraceEventBus();
    bus.attach(new Recorder({ path }));
    for (const event of sampleRun()) bus.emit(event);
    return [await bus.shutdown(), readFileSync(path, 'utf8')];
  }),
  'a replay of what was recorded': inFolder(async (folder) => {
    const path = join(folder, 'run.jsonl');
    return [await replayed(path, 'record'), await replayed(path, 'replay')];
  }),
  'a miss': async () => {
    const replay = await createReplayer(sampleRun());
    const tracer = createTracer(new TraceEventBus(), { interceptors: [replay] });
    try {
      return tracer.llmCall({ model: 'gpt-4o' }, () => 'live');
    } catch (error) {
      return [error.name, error.message];
    }
  },
  'a cassette': inFolder(async (folder) => {
    const server = createServer(answer);
    await new Promise((resolve) => {
      server.listen(0, '127.0.0.1', resolve);
    });
    const { port } = server.address();
    const path = join(folder, 'chat.jsonl');
    const recorded = await fetched({ path, mode: 'record' }, port);
    server.closeAllConnections();
    await new Promise((resolve) => {
      server.close(resolve);
    });
    return [recorded, await fetched({ path }, port)];
  }),
  'a comparison': inFolder(async (folder) => {
    const path = join(folder, 'run.jsonl');
    writeFileSync(path, linesOf(sampleRun()));
    const changed = linesOf(sampleRun()).replaceAll('"response":"Buy."', '"response":"Sell."');
    return formatDiff(await diffTraces(path, [changed]));
  }),
  'the exporter contract': () =>
    brokenRules(
      () => {
        const exporter = new Recorder();
        const arrivedSpanIds = () => exporter.entries.map(({ metadata }) => metadata.span_id);
        return { exporter, arrivedSpanIds };
      },
      { cannot: ['refuse', 'hang'] },
    ),
};
