// Files inside texts: base64 that no reader of a trace can read, and that the `langfuse` package uploads.

/** Linear: no two neighbouring parts share a character. */
const DATA_URI = /data:[\w.+-]+\/[\w.+-]+(?:;[\w.+=-]+)*;base64,[\w+/=-]*/gi;
/** The rest of what the `langfuse` package takes for a file. */
const OTHER_DATA_URI = /^data:[^,\s]{0,200},/i;
/** A shorter one is a word. */
const BASE64 = /^[\w+/-]{64,}={0,2}$/;
/** Keys whose object holds base64 under `data`: OpenAI's audio. The `langfuse` package trusts them. */
const AUDIO_KEYS = new Set(['input_audio', 'audio']);
/** Keys that say what base64 under `data` is: OpenAI, Anthropic, MCP, Google. */
const FORMAT_KEYS = ['format', 'media_type', 'mimeType', 'mime_type', 'mediaType'];

type Fields = Readonly<Record<string, unknown>>;

/**
 * Plain data with a word in brackets for each file in it: in place of a data URI, and as `file` in place of
 * `data`, which the `langfuse` package would upload. What holds none is returned as it is.
 */
export function replaceMedia(value: unknown, key = ''): unknown {
  if (typeof value === 'string') return replaceInText(value);
  // the `langfuse` package fails on it
  if (value === null && AUDIO_KEYS.has(key)) return undefined;
  if (typeof value !== 'object' || value === null) return value;
  if (Array.isArray(value)) {
    const items: unknown[] = value.map((item) => replaceMedia(item));
    return items.some((item, index) => item !== value[index]) ? items : (value as unknown);
  }
  const fields = value as Fields;
  const isFile = 'data' in fields && (AUDIO_KEYS.has(key) || isBase64(fields));
  const names = Object.keys(fields);
  const items = names.map((name) => replaceMedia(fields[name], name));
  if (!isFile && !names.some((name, index) => items[index] !== fields[name])) return value;
  // no prototype: a key may be called __proto__
  const result = Object.create(null) as Record<string, unknown>;
  for (const [index, name] of names.entries()) {
    if (isFile && name === 'data') result['file'] = wordFor(fields['data']);
    else if (items[index] !== undefined) result[name] = items[index];
  }
  return result;
}

function isBase64(fields: Fields): boolean {
  const { data } = fields;
  const hasFormat = FORMAT_KEYS.some((name) => typeof fields[name] === 'string');
  return hasFormat && typeof data === 'string' && BASE64.test(data);
}

function wordFor(data: unknown): string {
  return `[file: ${typeof data === 'string' ? `${data.length} characters` : typeof data}]`;
}

function replaceInText(text: string): string {
  if (!/data:/i.test(text)) return text;
  const replaced = text.replaceAll(DATA_URI, (uri) => {
    const type = uri.slice('data:'.length, uri.indexOf(';'));
    return `[file: ${type}, ${uri.length} characters]`;
  });
  return OTHER_DATA_URI.test(replaced) ? `[file: ${replaced.length} characters]` : replaced;
}
