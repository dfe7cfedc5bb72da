// What must not stand in any file of the repository, whatever its kind.
import { lineAt } from '../lib/syntax.mjs';

const FORBIDDEN = [
  {
    // a path that only exists on the machine of whoever wrote it
    pattern:
      /(?<![\w.~\-/)}])(?:\/(?:home|Users|root|tmp|work|var\/folders)\/[\w.-]|[A-Z]:\\Users\\)/g,
    problem: 'names a path of one machine',
  },
  {
    // an install takes the registry from the user's own settings
    pattern: /\bregistry\.[a-z0-9-]+\.[a-z]{2,}|\bhttps?:\/\/\S+\/-\/\S+\.tgz/gi,
    problem: 'names a package registry',
  },
];

const FORBIDDEN_IN_WORKFLOWS = [
  {
    // it runs a stranger's code with the secrets of this repository
    pattern: /\bpull_request_target\b/g,
    problem: 'no workflow runs on',
  },
  {
    // a tag can be moved to other code, a commit cannot
    pattern: /\buses: (?!\.\/)(?!\S+@[0-9a-f]{40}\b)\S+/g,
    problem: 'an action is pinned by its full commit',
  },
];

export function* textProblems(path, text) {
  if (text.includes('\0')) return; // a picture or another binary file
  const isWorkflow = path.startsWith('.github/workflows/');
  for (const { pattern, problem } of [...FORBIDDEN, ...(isWorkflow ? FORBIDDEN_IN_WORKFLOWS : [])])
    for (const match of text.matchAll(pattern))
      yield `${path}:${lineAt(text, match.index)}: ${problem}: ${match[0]}`;
}
