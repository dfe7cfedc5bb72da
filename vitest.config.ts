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

export default defineConfig({
  // Resolve workspace packages to their TypeScript sources: no build before tests.
  // The last three entries are Vite's default server conditions; setting the list replaces them.
  ssr: {
    resolve: { conditions: ['@pyagent-trace/source', 'module', 'node', 'development|production'] },
  },
  test: {
    projects: members.map(({ name, root }) => ({
      extends: true as const,
      root,
      test: {
        name,
        include: ['**/*.test.ts'],
        setupFiles: [new URL('tools/console-guard.ts', import.meta.url).pathname],
      },
    })),
    coverage: {
      provider: 'v8',
      include: ['packages/*/src/**/*.ts'],
      exclude: ['**/*.{test,test-d}.ts'],
      reporter: ['text', 'json-summary', 'lcov'],
    },
  },
});
