// Relative links lead to a file of the repository, and their anchor to a heading of it.
import { posix } from 'node:path';

const LINK =
  /!?\[(?:[^\]\\]|\\.)*\]\(\s*<?([^)\s>]+)>?(?:\s+"[^"]*")?\s*\)|^\s*\[[^\]]+\]:\s+<?(\S+?)>?$/g;
const ELSEWHERE = /^[a-z][a-z+.-]*:|^\/\//i;

export function* linkProblems(pages, files) {
  const targets = new Set(files.flatMap(withFolders));
  const anchors = new Map(pages.map((page) => [page.path, anchorsOf(page)]));
  for (const { path, prose } of pages) {
    for (const [index, line] of prose.entries()) {
      for (const match of line.replaceAll(/`[^`]*`/g, '').matchAll(LINK)) {
        const link = match[1] ?? match[2];
        if (ELSEWHERE.test(link)) continue;
        const [target, anchor] = decodeURI(link).split('#');
        const file = target === '' ? path : resolve(path, target);
        if (!targets.has(file)) yield `${path}:${index + 1}: ${link}: no such file`;
        else if (anchor !== undefined && anchors.get(file)?.has(anchor) === false)
          yield `${path}:${index + 1}: ${link}: no such heading`;
      }
    }
  }
}

function resolve(from, target) {
  const file = target.startsWith('/') ? target.slice(1) : posix.join(posix.dirname(from), target);
  return file.replace(/\/$/, '') || '.';
}

function withFolders(path) {
  const parts = path.split('/');
  return ['.', ...parts.map((_, index) => parts.slice(0, index + 1).join('/'))];
}

/** GitHub's anchors: lower case, punctuation gone, blanks to hyphens, a number on a repeated one. */
function anchorsOf({ headings, prose }) {
  const anchors = new Set();
  for (const heading of headings) {
    const text = heading.replaceAll(/!?\[([^\]]*)\]\([^)]*\)/g, '$1');
    const slug = text
      .toLowerCase()
      .replaceAll(/[^\p{L}\p{M}\p{N}\p{Pc}\- ]/gu, '')
      .replaceAll(' ', '-');
    let anchor = slug;
    for (let n = 1; anchors.has(anchor); n++) anchor = `${slug}-${n}`;
    anchors.add(anchor);
  }
  for (const match of prose.join('\n').matchAll(/<a\s+(?:id|name)="([^"]+)"/g))
    anchors.add(match[1]);
  return anchors;
}
