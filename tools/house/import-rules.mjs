// Who may import whom.
import { isBuiltin } from 'node:module';
import { posix } from 'node:path';
import { SCOPE } from '../lib/repo.mjs';
import { importsOf, packageOf } from '../lib/syntax.mjs';
import { isTest } from './source-rules.mjs';

const CORE_ENTRY = 'packages/core/src/index.ts';

/** A package imports its own files, core, and what its package.json declares. */
export function* importProblems({ dir, manifest }, packages, modules) {
  const { dependencies, peerDependencies, optionalDependencies } = manifest;
  const declared = new Set([
    manifest.name,
    ...Object.keys({ ...dependencies, ...peerDependencies, ...optionalDependencies }),
  ]);
  const published = new Set(packages.map((other) => other.manifest.name));
  for (const { path, program } of modules.values()) {
    if (!path.startsWith(`${dir}/`)) continue;
    for (const { specifier } of importsOf(program)) {
      if (specifier.startsWith('.')) {
        if (!posix.join(posix.dirname(path), specifier).startsWith(`${dir}/`))
          yield `${path}: imports ${specifier}, which is outside the package`;
        continue;
      }
      const name = packageOf(specifier);
      if (isBuiltin(specifier) || declared.has(name)) continue;
      if (name.startsWith(SCOPE) && !published.has(name))
        yield `${path}: imports ${name}; nothing may import apps, bench or tests`;
      // what is beside src is not published: fixtures, and what tests share
      else if (name.startsWith(SCOPE) || (path.startsWith(`${dir}/src/`) && !isTest(path)))
        yield `${path}: imports ${name}, which ${dir}/package.json does not declare`;
    }
  }
}

/** Every program that emits loads core's main entry: it carries neither zod nor a Node built-in. */
export function* coreEntryProblems(modules) {
  const seen = new Set();
  const queue = [[CORE_ENTRY]];
  for (const chain of queue) {
    const path = chain.at(-1);
    const module = modules.get(path);
    if (module === undefined || seen.has(path)) continue;
    seen.add(path);
    for (const { specifier, static: isStatic, value } of importsOf(module.program)) {
      if (!isStatic || !value) continue;
      if (specifier.startsWith('.'))
        queue.push([...chain, posix.join(posix.dirname(path), specifier)]);
      else if (isBuiltin(specifier) || packageOf(specifier) === 'zod')
        yield `${path}: imports ${specifier}; core's main entry must not (${chain.map((step) => posix.basename(step)).join(' > ')})`;
    }
  }
}
