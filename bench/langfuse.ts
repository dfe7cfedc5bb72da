// What does an observation cost on its way into Langfuse, beside Langfuse's own SDKs?
import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { comparing, type Subject } from './harness/compare.ts';
import type { Measurement } from './harness/table.ts';
import { exported, type Instrument, sdk3, sdk5 } from './langfuse/instrumented.ts';

const SERVER = fileURLToPath(new URL('langfuse/server.ts', import.meta.url));
const OBSERVATIONS_PER_TRIPLE = 3;
/** Then they are not coming any more. */
const MAX_FLUSHES = 1_000;

export const measurements: readonly Measurement[] = comparing({
  title: 'an observation, until a server has it',
  per: 'observation',
  iterations: 300 * OBSERVATIONS_PER_TRIPLE,
  rounds: 7,
  subjects: [
    delivered('createTracer, LangfuseExporter, OTLP', exported('otlp')),
    delivered('createTracer, LangfuseExporter, the package langfuse 3', exported('langfuse')),
    delivered('langfuse 3', sdk3),
  ],
  peer: delivered('@langfuse/tracing and @langfuse/otel 5', sdk5),
  note:
    'Traced triples in a burst, then a flush, until a server on 127.0.0.1, which takes everything and ' +
    'keeps nothing, has counted them. All with their defaults. Over OTLP, LangfuseExporter pairs events, ' +
    'sends one request after another and compresses those of 16 KiB and more, which gains nothing on ' +
    'this way; @langfuse/otel sends several at once as they are. langfuse 3 sends two items per ' +
    'observation, at its start and at its end, and its whole queue is written anew for each of them.',
});

function delivered(name: string, instrument: Instrument): Subject {
  return {
    name,
    async start() {
      const server = await startServer();
      const { triple, flush, stop } = instrument(server.url);
      return {
        async round(iterations) {
          const before = await server.received();
          for (let i = 0; i < iterations / OBSERVATIONS_PER_TRIPLE; i++) triple();
          let received = 0;
          for (let i = 0; received < iterations && i < MAX_FLUSHES; i++) {
            await flush();
            received = (await server.received()) - before;
          }
          return received;
        },
        async stop() {
          await stop();
          if (server.process.kill()) await once(server.process, 'exit');
        },
      };
    },
  };
}

/** A server for each subject: none waits for what another one sends late. */
async function startServer(): Promise<{
  readonly process: ChildProcess;
  readonly url: string;
  readonly received: () => Promise<number>;
}> {
  const server = fork(SERVER, { execArgv: [] });
  const [port] = await once(server, 'message');
  const url = `http://127.0.0.1:${port}`;
  return {
    process: server,
    url,
    received: async () => (await (await fetch(`${url}/received`)).json()) as number,
  };
}
