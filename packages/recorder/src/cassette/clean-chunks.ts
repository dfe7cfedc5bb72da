import type { Censor } from './censor.ts';

/** A part of a text, as it came and without secrets. */
interface Part {
  readonly before: string;
  readonly after: string;
}

/** A text in the data of an event, which may be one piece of a longer one. */
interface Leaf {
  readonly holder: Record<string, unknown>;
  readonly key: string;
  readonly text: string;
}

interface Line {
  readonly before: string;
  /** What stands before and after the data. */
  readonly start: string;
  readonly end: string;
  /** What its texts are in; `undefined` where there is none. */
  readonly value: unknown;
  readonly write: (value: unknown) => string;
  after: string;
}

const LINES = /event-stream|ndjson|jsonl|json-seq|jsonlines/i;
/** A stream of events, whatever its server calls it. */
const EVENTS = /^\s*(?:data|event|id|retry)?:/;
/** An event that is a text: in quotes, as the AI SDK writes them behind a number, or as it is. */
const QUOTED = /^(\w*:)?("(?:[^"\\]|\\.)*")$/;

/**
 * Chunks of a text without secrets, also those that are cut in two by chunks, or by the events of a stream
 * of which each has a few words. As many chunks as there were; those without secrets are as they came.
 *
 * @param isWhole whether the text is; where it was cut off, it may end with a part of a secret
 */
export function cleanChunks(
  chunks: readonly string[],
  contentType: string,
  censor: Censor,
  isWhole: boolean,
): string[] {
  const text = chunks.join('');
  const parts =
    LINES.test(contentType) || EVENTS.test(text)
      ? cleanLines(text, censor)
      : [{ before: text, after: censor.text(text) }];
  const cleaned = recut(chunks, parts);
  if (isWhole) return cleaned;
  const before = cleaned.join('');
  return recut(cleaned, [{ before, after: censor.end(before) }]);
}

function cleanLines(text: string, censor: Censor): Part[] {
  const lines = text.split(/(?<=\n|\r(?!\n))/).map((before) => toLine(before, censor));
  const texts = new Map<string, { line: Line; leaf: Leaf }[]>();
  for (const line of lines)
    for (const [place, leaf] of leavesOf(line.value, '')) {
      const pieces = texts.get(place) ?? [];
      pieces.push({ line, leaf });
      texts.set(place, pieces);
    }
  for (const pieces of texts.values()) cleanAcross(pieces, censor);
  return lines;
}

function toLine(before: string, censor: Censor): Line {
  const [, start = '', data = '', end = ''] = /^(data: ?)?([^\r\n]*)(\s*)$/.exec(before) ?? [];
  const cleaned = censor.text(data);
  const after = cleaned === data ? before : start + cleaned + end;
  return { before, start, end, after, ...parse(cleaned, start !== '') };
}

function parse(data: string, isEvent: boolean): Pick<Line, 'value' | 'write'> {
  const [, mark = '', quoted] = QUOTED.exec(data) ?? [];
  try {
    if (quoted !== undefined)
      return {
        value: { [mark]: JSON.parse(quoted) as unknown },
        write: (value) => mark + JSON.stringify((value as Record<string, string>)[mark]),
      };
    if (/^\s*[[{]/.test(data)) return { value: JSON.parse(data) as unknown, write: JSON.stringify };
  } catch {
    // a text that only looks like JSON
  }
  return {
    value: isEvent ? { data } : undefined,
    write: (value) => (value as { data: string }).data,
  };
}

/** Texts with their place: the keys that lead there, and what tells one answer or part of it from another. */
function* leavesOf(value: unknown, place: string): Generator<[place: string, leaf: Leaf]> {
  if (typeof value !== 'object' || value === null) return;
  const holder = value as Record<string, unknown>;
  const label = Object.entries(holder)
    .filter(([key, item]) => /(?:^type|index)$/i.test(key) && typeof item !== 'object')
    .map(([key, item]) => `${key}=${String(item)}`)
    .join();
  for (const [key, item] of Object.entries(holder)) {
    const below = `${place}.${key}(${label})`;
    if (typeof item === 'string') yield [below, { holder, key, text: item }];
    else yield* leavesOf(item, below);
  }
}

/** What is a secret only when the pieces are read together. */
function cleanAcross(pieces: readonly { line: Line; leaf: Leaf }[], censor: Censor): void {
  const texts = pieces.map(({ leaf }) => leaf.text);
  if (new Set(texts).size === 1) return; // an id or a name that every event has
  const before = texts.join('');
  const after = censor.text(before);
  if (after === before) return;
  const cleaned = recut(texts, [{ before, after }]);
  for (const [i, { line, leaf }] of pieces.entries()) {
    if (cleaned[i] === leaf.text) continue;
    leaf.holder[leaf.key] = cleaned[i];
    line.after = line.start + line.write(line.value) + line.end;
  }
}

/** Cuts what parts have become where chunks were cut before. */
function recut(chunks: readonly string[], parts: readonly Part[]): string[] {
  if (parts.every(({ before, after }) => before === after)) return [...chunks];
  const text = parts.map(({ after }) => after).join('');
  const moves = parts.map(toMove);
  let cut = 0;
  let offset = 0;
  let i = 0;
  let [partStart, movedStart] = [0, 0];
  return chunks.map((chunk) => {
    offset += chunk.length;
    let part = parts[i];
    while (part !== undefined && offset > partStart + part.before.length) {
      partStart += part.before.length;
      movedStart += part.after.length;
      i += 1;
      part = parts[i];
    }
    const start = cut;
    cut = movedStart + (moves[i]?.(offset - partStart) ?? 0);
    return text.slice(start, cut);
  });
}

/** Where an offset in a part goes: as far from the begin or the end where that is as it was, else behind what changed. */
function toMove({ before, after }: Part): (offset: number) => number {
  if (before === after) return (offset) => offset;
  const longest = Math.min(before.length, after.length);
  let same = 0;
  while (same < longest && before[same] === after[same]) same += 1;
  let sameAtEnd = 0;
  while (sameAtEnd < longest - same && before.at(-1 - sameAtEnd) === after.at(-1 - sameAtEnd))
    sameAtEnd += 1;
  return (offset) => {
    if (offset <= same) return offset;
    return after.length - Math.min(sameAtEnd, before.length - offset);
  };
}
