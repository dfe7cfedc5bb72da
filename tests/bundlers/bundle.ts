// One bundle for browsers, by each of the bundlers.
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as esbuild from 'esbuild';
import { build as viteBuild } from 'vite';
import webpack from 'webpack';

/** @returns the code of the bundle @throws {Error} where something cannot be resolved for a browser */
export type Bundle = (entry: string) => Promise<string>;

/** Nothing is set but where to look, what to make, and that it is for browsers. */
export const BUNDLERS: Readonly<Record<string, Bundle>> = {
  esbuild: async (entry) => {
    const { outputFiles } = await esbuild.build({
      entryPoints: [entry],
      bundle: true,
      minify: true,
      platform: 'browser',
      format: 'iife',
      write: false,
      logLevel: 'silent',
    });
    return outputFiles.map(({ text }) => text).join('\n');
  },
  Vite: async (entry) => {
    const built = await viteBuild({
      configFile: false,
      logLevel: 'silent',
      build: {
        write: false,
        modulePreload: false,
        rolldownOptions: { input: entry, output: { format: 'iife' } },
      },
    });
    const outputs = Array.isArray(built) ? built : [built];
    return outputs
      .flatMap((one) => ('output' in one ? one.output : []))
      .map((chunk) => (chunk.type === 'chunk' ? chunk.code : ''))
      .join('\n');
  },
  webpack: async (entry) => {
    const path = mkdtempSync(join(tmpdir(), 'webpack-'));
    const output = { path, filename: 'app.js' };
    try {
      const compiler = webpack({ entry, mode: 'production', target: 'web', output });
      await new Promise<void>((resolve, reject) => {
        compiler.run((failure, stats) => {
          const problem = failure ?? stats?.toJson({ all: false, errors: true }).errors?.[0];
          compiler.close(() => (problem ? reject(new Error(problem.message)) : resolve()));
        });
      });
      return readFileSync(join(path, output.filename), 'utf8');
    } finally {
      rmSync(path, { recursive: true });
    }
  },
};
