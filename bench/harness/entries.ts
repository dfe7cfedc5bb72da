import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';

/** What a program imports, of ours or of somebody else. */
export interface Entry {
  readonly name: string;
  /** Names by module; without names it is all of the module. */
  readonly modules: Readonly<Record<string, readonly string[] | undefined>>;
}

interface Manifest {
  readonly name: string;
  readonly exports: Readonly<Record<string, string | { readonly default: string }>>;
  readonly sideEffects: boolean | readonly string[];
}

const PACKAGES = fileURLToPath(new URL('../../packages', import.meta.url));

/** Every entry of our packages, as built, save those that only a test runner can load. */
export const OURS: readonly Entry[] = readdirSync(PACKAGES).flatMap((folder) => {
  const dir = join(PACKAGES, folder);
  const manifest = JSON.parse(readFileSync(join(dir, 'package.json'), 'utf8')) as Manifest;
  const registering = Array.isArray(manifest.sideEffects) ? manifest.sideEffects : [];
  return Object.entries(manifest.exports).flatMap(([path, target]) =>
    typeof target === 'string' || registering.includes(target.default)
      ? []
      : [
          {
            name: manifest.name + path.slice(1),
            modules: { [pathToFileURL(join(dir, target.default)).href]: undefined },
          },
        ],
  );
});

/** What a program imports of the others to emit, log or trace. */
export const PEERS: readonly Entry[] = [
  { name: 'mitt', modules: { mitt: ['default'] } },
  { name: 'eventemitter3', modules: { eventemitter3: ['EventEmitter'] } },
  { name: 'sonic-boom', modules: { 'sonic-boom': ['default'] } },
  { name: 'pino', modules: { pino: ['pino'] } },
  { name: 'zod', modules: { zod: ['z'] } },
  {
    name: 'OpenTelemetry: api, sdk-trace, context-async-hooks',
    modules: {
      '@opentelemetry/api': ['trace', 'context'],
      '@opentelemetry/sdk-trace': ['TracerProvider', 'BatchSpanProcessor'],
      '@opentelemetry/context-async-hooks': ['AsyncLocalStorageContextManager'],
    },
  },
  {
    name: 'OpenInference: core',
    modules: {
      '@arizeai/openinference-core': ['traceChain', 'traceAgent', 'traceLLM', 'getLLMAttributes'],
    },
  },
  {
    name: 'LangSmith: Client, traceable',
    modules: { langsmith: ['Client'], 'langsmith/traceable': ['traceable'] },
  },
  {
    name: 'OpenAI Agents: agents-core',
    modules: {
      '@openai/agents-core': [
        'withTrace',
        'withAgentSpan',
        'withGenerationSpan',
        'setTraceProcessors',
      ],
    },
  },
  { name: 'langfuse 3', modules: { langfuse: ['Langfuse'] } },
  {
    name: 'Langfuse 5: tracing, otel, OpenTelemetry sdk-trace-base, context-async-hooks',
    modules: {
      '@langfuse/tracing': ['startActiveObservation', 'setLangfuseTracerProvider'],
      '@langfuse/otel': ['LangfuseSpanProcessor'],
      '@opentelemetry/sdk-trace-base': ['BasicTracerProvider'],
      '@opentelemetry/context-async-hooks': ['AsyncLocalStorageContextManager'],
    },
  },
];
