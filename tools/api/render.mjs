// Of all emitted declarations, those that an entry exports, and those that these mention.
import { readFileSync } from 'node:fs';
import { dirname, join, posix, relative, sep } from 'node:path';
import { byCodeUnit } from '../lib/repo.mjs';
import { parse, walk } from '../lib/syntax.mjs';

/**
 * @param entries `[['.', './dist/index.d.ts'], …]`, paths from `dir`
 * @returns the text of `api.d.ts`: what each entry exports, then each module's part of it. Comments
 *   and order of writing are left out, so that only a change of the API changes it.
 */
export function renderApi(name, dir, entries) {
  const modules = new Map();
  const load = (file) => {
    if (!modules.has(file)) modules.set(file, readModule(file));
    return modules.get(file);
  };

  const lists = entries.map(([entry, types]) => {
    const { exported } = load(join(dir, types));
    const names = [...exported.keys()].toSorted(byCodeUnit);
    for (const exportedName of names) use(load, join(dir, types), exported.get(exportedName));
    return [`// ${posix.join(name, entry)} exports`, ...names.map((item) => `//   ${item}`)].join(
      '\n',
    );
  });

  const parts = [...modules]
    .toSorted(([a], [b]) => byCodeUnit(a, b))
    .filter(([, { used }]) => used.size > 0)
    .map(([file, { used, declarations, vendors }]) => {
      const path = relative(dir, file)
        .split(sep)
        .join('/')
        .replace(/^dist\//, '');
      const names = [...used].toSorted(byCodeUnit);
      const imports = names.flatMap((local) => vendors.get(local) ?? []);
      const texts = names.flatMap((local) => declarations.get(local)?.texts ?? []);
      return [`// ${path}`, ...imports, ...new Set(texts)].join('\n');
    });
  return `${['// Written by pnpm check:api --write.', ...lists, ...parts].join('\n\n')}\n`;
}

/** Marks a local name of a module as part of the API, and whatever its declaration mentions. */
function use(load, file, local) {
  const module = load(file);
  if (module.used.has(local)) return;
  const source = module.imported.get(local);
  if (source !== undefined) {
    const target = load(source.file);
    if (source.name === '*')
      for (const inner of target.exported.values()) use(load, source.file, inner);
    else use(load, source.file, target.exported.get(source.name));
    return;
  }
  module.used.add(local);
  for (const mentioned of module.declarations.get(local)?.mentions ?? [])
    use(load, file, mentioned);
}

function readModule(file) {
  const text = readFileSync(file, 'utf8');
  const { program, comments } = parse(file, text);
  const module = {
    /** exported name to local name */
    exported: new Map(),
    /** local name to `{ file, name }` in another module of the package */
    imported: new Map(),
    /** local name to the import statement of another package */
    vendors: new Map(),
    /** local name to its texts (overloads have several) and the names in them */
    declarations: new Map(),
    used: new Set(),
  };
  for (const node of program.body) {
    if (
      node.type === 'ImportDeclaration' ||
      (node.type === 'ExportNamedDeclaration' && node.source)
    )
      readImport(module, file, node);
    else if (node.type === 'ExportNamedDeclaration' && node.declaration === null)
      for (const { exported, local } of node.specifiers)
        module.exported.set(exported.name, local.name);
    else readDeclaration(module, file, node, withoutComments(text, node, comments));
  }
  return module;
}

function readImport(module, file, node) {
  const specifier = node.source.value;
  for (const item of node.specifiers) {
    const isExport = node.type === 'ExportNamedDeclaration';
    // a re-export has no name in its module: it gets one that nothing else can have
    const local = isExport ? `export ${item.exported.name}` : item.local.name;
    if (isExport) module.exported.set(item.exported.name, local);
    const namespace = item.type === 'ImportNamespaceSpecifier';
    const name = namespace ? '*' : ((isExport ? item.local : item.imported)?.name ?? 'default');
    if (specifier.startsWith('.')) {
      module.imported.set(local, { file: declarationFile(file, specifier), name });
    } else {
      module.vendors.set(local, vendorLine(node, item, isExport ? 'export' : 'import'));
    }
  }
}

function vendorLine(node, item, keyword) {
  const [from, to] =
    keyword === 'export'
      ? [item.local.name, item.exported.name]
      : [item.imported?.name, item.local.name];
  const clause = from === undefined ? `* as ${to}` : `{ ${from === to ? to : `${from} as ${to}`} }`;
  return `${keyword} ${clause} from '${node.source.value}';`;
}

/** `import('./event.ts').TraceEvent`, which the compiler writes where it inferred a type. */
function readImportType(module, file, { source, qualifier }) {
  const name = qualifier?.name ?? '*';
  const local = `${source.value} ${name}`;
  if (source.value.startsWith('.'))
    module.imported.set(local, { file: declarationFile(file, source.value), name });
  return local;
}

function declarationFile(from, specifier) {
  return join(dirname(from), specifier.replace(/\.[jt]s$/, '.d.ts'));
}

function readDeclaration(module, file, node, text) {
  const declaration = node.declaration ?? node;
  const names = declaration.declarations?.map(({ id }) => id.name) ?? [declaration.id?.name];
  const mentions = new Set();
  walk(declaration, (part) => {
    if (part.type === 'Identifier') mentions.add(part.name);
    if (part.type === 'TSImportType') mentions.add(readImportType(module, file, part));
  });
  for (const name of names.filter((declared) => declared !== undefined)) {
    if (node.type === 'ExportNamedDeclaration') module.exported.set(name, name);
    const known = module.declarations.get(name) ?? { texts: [], mentions: new Set() };
    known.texts.push(text);
    for (const mention of mentions) known.mentions.add(mention);
    module.declarations.set(name, known);
  }
}

function withoutComments(text, { start, end }, comments) {
  let result = '';
  let from = start;
  for (const comment of comments) {
    if (comment.start < from || comment.end > end) continue;
    result += text.slice(from, comment.start);
    from = comment.end;
  }
  return `${result}${text.slice(from, end)}`
    .split('\n')
    .map((line) => line.trimEnd())
    .filter((line) => line !== '')
    .join('\n');
}
