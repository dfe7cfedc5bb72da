import { readdirSync } from 'node:fs';
import { defineConfig } from 'vitest/config';

const members = ['packages', 'apps']
  .flatMap((folder) =>
    readdirSync(new URL(`${folder}/`, import.meta.url)).map((name) => ({
      name,
      root: `${folder}/${name}`,
    })),
  )
  .concat({ name: 'bench', root: 'bench' }, { name: 'tests', root: 'tests' });

/**
 * The same tests on the line before: SDK 2.x with its own API. The SDK is inlined, as the ES modules that its
 * `module` fields name, so that its imports follow the aliases too.
 */
const exporterOtel2x = {
  extends: true as const,
  root: 'packages/exporter-otel',
  ssr: { resolve: { mainFields: ['module', 'main'] } },
  resolve: {
    alias: [
      { find: /^@opentelemetry\/api$/, replacement: 'otel-api-1.9' },
      { find: /^@opentelemetry\/sdk-trace$/, replacement: 'sdk-trace-2' },
      { find: /^@opentelemetry\/sdk-metrics$/, replacement: 'sdk-metrics-2' },
    ],
  },
  test: {
    name: 'exporter-otel-2x',
    env: { OTEL_SDK_LINE: '2' },
    include: ['src/**/*.test.ts'],
    exclude: ['src/**/*.e2e.test.ts'],
    setupFiles: [new URL('tools/console-guard.ts', import.meta.url).pathname],
    server: { deps: { inline: [/opentelemetry/] } },
  },
};

export default defineConfig({
  // Resolve workspace packages to their TypeScript sources: no build before tests.
  // The last three entries are Vite's default server conditions; setting the list replaces them.
  ssr: {
    resolve: { conditions: ['@pyagent-trace/source', 'module', 'node', 'development|production'] },
  },
  test: {
    // a test that hangs fails, however late; one on a busy machine need not
    testTimeout: 30_000,
    hookTimeout: 30_000,
    projects: [
      ...members.map(({ name, root }) => ({
        extends: true as const,
        root,
        test: {
          name,
          include: ['**/*.test.ts'],
          setupFiles: [new URL('tools/console-guard.ts', import.meta.url).pathname],
          // bundlers and other runtimes know no sources
          ...(name === 'tests' && { globalSetup: ['build.ts'] }),
        },
      })),
      exporterOtel2x,
    ],
    coverage: {
      provider: 'v8',
      include: ['packages/*/src/**/*.ts'],
      exclude: ['**/*.{test,test-d}.ts'],
      reporter: ['text', 'json-summary', 'lcov'],
    },
  },
});
