// Markdown, as far as the checks need it: code blocks, headings and links, with their lines.

/** Only these two fences hold TypeScript or JavaScript, so that none escapes the compiler. */
const DISGUISED = /^(?:typescript|tsx?|javascript|jsx?|mjs|cjs|mts|cts)\b/;
const OUTPUT_FENCES = new Set(['text', 'json', 'jsonl']);
const OUTPUT_MARK = /^<!-- output(?: (\S+))? -->$/;

/**
 * @returns `{ path, prose, headings, examples, problems }`. `prose` is the page with its code blanked
 *   out, line for line. An example is `{ path, line, code, expected?, file? }`: `expected` is what
 *   it prints or, when `file` is there, what it leaves in that file.
 */
export function readMarkdown(path, text) {
  const page = { path, prose: [], headings: [], examples: [], problems: [] };
  let mark;
  let previous;
  for (const block of blocksOf(text.split('\n'))) {
    const place = `${path}:${block.line}`;
    if (block.kind === 'prose') {
      page.prose.push(block.text);
      const heading = /^#{1,6}\s+(.*?)\s*#*$/.exec(block.text);
      if (heading) page.headings.push(heading[1]);
      const output = OUTPUT_MARK.exec(block.text.trim());
      if (output) {
        if (previous?.info !== 'ts')
          page.problems.push(`${place}: no ts example stands before this`);
        mark = { place, file: output[1], example: page.examples.at(-1) };
      } else if (block.text.trim() !== '') {
        previous = undefined;
      }
      continue;
    }
    page.prose.push(...block.lines.map(() => ''), '', '');
    if (block.info === 'ts')
      page.examples.push({ path, line: block.line + 1, code: block.lines.join('\n') });
    else if (DISGUISED.test(block.info))
      page.problems.push(
        `${place}: \`\`\`${block.info}: an example is plain \`\`\`ts, so that it is compiled`,
      );
    if (mark !== undefined) {
      if (OUTPUT_FENCES.has(block.info))
        Object.assign(mark.example ?? {}, { expected: block.lines.join('\n'), file: mark.file });
      else page.problems.push(`${mark.place}: a text, json or jsonl block must follow`);
      mark = undefined;
    }
    previous = block;
  }
  if (mark !== undefined)
    page.problems.push(`${mark.place}: a text, json or jsonl block must follow`);
  return page;
}

function* blocksOf(lines) {
  for (let i = 0; i < lines.length; i++) {
    const fence = /^(\s*)(`{3,}|~{3,})\s*(.*?)\s*$/.exec(lines[i]);
    if (!fence) {
      yield { kind: 'prose', line: i + 1, text: lines[i] };
      continue;
    }
    const [, indent, marker, info] = fence;
    const start = i;
    const body = [];
    while (++i < lines.length && !lines[i].trimStart().startsWith(marker))
      body.push(lines[i].startsWith(indent) ? lines[i].slice(indent.length) : lines[i].trimStart());
    yield { kind: 'code', line: start + 1, info, lines: body };
  }
}
