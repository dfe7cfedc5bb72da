// Files inside texts: base64 that no reader of a trace can read, and that the `langfuse` package uploads.

/** Linear: no two neighbouring parts share a character. */
const DATA_URI = /data:[\w.+-]+\/[\w.+-]+(?:;[\w.+=-]+)*;base64,[\w+/=-]*/gi;
/** The rest of what the `langfuse` package takes for a file. */
const OTHER_DATA_URI = /^data:[^,\s]{0,200},/i;
const BASE64 = /^[\w+/-]+={0,2}$/;
/** Keys whose object holds base64 under `data`: OpenAI's audio. */
const AUDIO_KEYS = new Set(['input_audio', 'audio']);
/** Keys that say what base64 under `data` is: OpenAI, Anthropic, MCP, Google. */
const FORMAT_KEYS = ['format', 'media_type', 'mimeType', 'mime_type', 'mediaType'];

type Fields = Readonly<Record<string, unknown>>;

/** Plain data with a word in brackets for each file in it. What holds none is returned as it is. */
export function replaceMedia(value: unknown, key = ''): unknown {
  if (typeof value === 'string') return replaceInText(value);
  if (typeof value !== 'object' || value === null) return value;
  if (Array.isArray(value)) {
    const items: unknown[] = value.map((item) => replaceMedia(item));
    return items.some((item, index) => item !== value[index]) ? items : (value as unknown);
  }
  const fields = value as Fields;
  const isFile = typeof fields['data'] === 'string' && holdsBase64(fields, fields['data'], key);
  let copy: Record<string, unknown> | undefined;
  for (const [name, item] of Object.entries(fields)) {
    const replaced =
      isFile && name === 'data'
        ? `[file: ${String(item).length} characters]`
        : replaceMedia(item, name);
    if (replaced === item) continue;
    copy ??= Object.assign(Object.create(null) as Record<string, unknown>, fields);
    copy[name] = replaced;
  }
  return copy ?? value;
}

function holdsBase64(fields: Fields, data: string, key: string): boolean {
  if (AUDIO_KEYS.has(key)) return true;
  return FORMAT_KEYS.some((name) => typeof fields[name] === 'string') && BASE64.test(data);
}

function replaceInText(text: string): string {
  if (!/data:/i.test(text)) return text;
  const replaced = text.replaceAll(DATA_URI, (uri) => {
    const type = uri.slice('data:'.length, uri.indexOf(';'));
    return `[file: ${type}, ${uri.length} characters]`;
  });
  return OTHER_DATA_URI.test(replaced) ? `[file: ${replaced.length} characters]` : replaced;
}
