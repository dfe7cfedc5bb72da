// Messages as the GenAI conventions have them, from the shapes of OpenAI, Anthropic and Gemini.
// Always a JSON string: older SDKs drop objects, and Langfuse and Phoenix read strings.
import { toPlainData } from '@pyagent-trace/core';

interface Part {
  readonly type: string;
  readonly [key: string]: unknown;
}

interface Message {
  readonly role: string;
  readonly parts: readonly Part[];
  readonly name?: string;
}

type Data = Readonly<Record<string, unknown>>;

/** Of one attribute, in bytes of UTF-8. */
export const MAX_ATTRIBUTE_BYTES = 256 * 1024;
/** Of one text that is no content, such as metadata, in UTF-16 code units. */
export const MAX_CHARS = 16_384;
/** For the message or part that says what was left out. */
const MARKER_BYTES = 200;
/** A UTF-16 code unit has three bytes at most. */
const MAX_ATTRIBUTE_CHARS = Math.floor((MAX_ATTRIBUTE_BYTES - MARKER_BYTES) / 3);

/**
 * The value of `gen_ai.input.messages` and `gen_ai.output.messages`; `undefined` where there is nothing.
 *
 * @param role of what does not say who said it
 * @param maxChars of each text, in UTF-16 code units
 */
export function messagesJson(value: unknown, role: string, maxChars: number): string | undefined {
  const messages = messagesOf(value, role);
  if (messages.length === 0) return undefined;
  return joinNewest(messages.map((message) => messageJson(message, maxChars)));
}

/** The value of `gen_ai.system_instructions`; `undefined` where there is nothing. */
export function instructionsJson(value: unknown, maxChars: number): string | undefined {
  const parts = partsOf(value);
  if (parts.length === 0) return undefined;
  const json = JSON.stringify(parts.map((part) => cutPart(part, maxChars)));
  return fits(json) ? json : JSON.stringify([tooLong(json)]);
}

/** A value as text: itself if it is a text, else JSON. */
export function textOrJson(value: unknown, maxChars: number): string | undefined {
  if (typeof value === 'string') return cut(value, Math.min(maxChars, MAX_ATTRIBUTE_CHARS));
  return value === undefined || value === null ? undefined : boundedJson(value, maxChars);
}

/** Plain data as JSON that is whole whatever is left out of it. */
export function boundedJson(value: unknown, maxChars: number = MAX_CHARS): string {
  const json = JSON.stringify(cutDeep(value, maxChars));
  return fits(json) ? json : JSON.stringify({ '[Truncated]': cut(json, MAX_CHARS) });
}

/**
 * At most that many UTF-16 code units of a text, and a note. No half of a surrogate pair: for one a strict
 * backend may refuse the request with all its spans.
 */
export function cut(text: string, maxChars: number): string {
  if (text.length <= maxChars) return text.toWellFormed();
  const last = text.charCodeAt(maxChars - 1);
  const end = last >= 0xd800 && last <= 0xdbff ? maxChars - 1 : maxChars;
  return `${text.slice(0, end).toWellFormed()}[Truncated: ${text.length - end} more characters]`;
}

function cutDeep(value: unknown, maxChars: number): unknown {
  if (typeof value === 'string') return cut(value, maxChars);
  if (Array.isArray(value)) return value.map((item) => cutDeep(item, maxChars));
  if (!isData(value)) return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, item]) => [key, cutDeep(item, maxChars)]),
  );
}

/** Of a part, what says what it is and is no text. */
const NAMES = new Set(['type', 'id', 'name', 'modality', 'mime_type']);

function cutPart(part: Part, maxChars: number): Data {
  return Object.fromEntries(
    Object.entries(part).map(([key, value]) => [
      key,
      NAMES.has(key) ? value : cutDeep(value, maxChars),
    ]),
  );
}

function messageJson(message: Message, maxChars: number): string {
  const parts = message.parts.map((part) => cutPart(part, maxChars));
  const json = JSON.stringify({ ...message, parts });
  if (fits(json)) return json;
  return JSON.stringify({ role: cut(message.role, MAX_CHARS), parts: [tooLong(json)] });
}

/** A list of the newest messages that there is room for, which says how many are missing. */
function joinNewest(messages: readonly string[]): string {
  let bytes = '[]'.length;
  let first = messages.length;
  while (first > 0) {
    bytes += Buffer.byteLength(messages[first - 1] as string) + 1;
    if (bytes > MAX_ATTRIBUTE_BYTES - MARKER_BYTES) break;
    first -= 1;
  }
  if (first === 0) return `[${messages.join(',')}]`;
  const missing = `[Truncated: ${first} earlier messages]`;
  const marker: Message = { role: 'system', parts: [{ type: 'text', content: missing }] };
  return `[${[JSON.stringify(marker), ...messages.slice(first)].join(',')}]`;
}

function fits(json: string): boolean {
  return Buffer.byteLength(json) <= MAX_ATTRIBUTE_BYTES - 2 * MARKER_BYTES;
}

function tooLong(json: string): Part {
  return { type: 'text', content: `[Truncated: ${Buffer.byteLength(json)} bytes of JSON]` };
}

function messagesOf(value: unknown, role: string): readonly Message[] {
  if (value === undefined || value === null || value === '') return [];
  if (Array.isArray(value) && value.every((item) => isMessage(item)))
    return value.map((item) => toMessage(item, role));
  if (!isMessage(value)) return [{ role, parts: partsOf(value) }];
  const { choices } = value;
  if (Array.isArray(choices))
    return choices.flatMap((choice: Data | null) => messagesOf(choice?.['message'], role));
  return [toMessage(value, role)];
}

function isMessage(value: unknown): value is Data {
  if (!isData(value)) return false;
  const { role, content, tool_calls, choices } = value;
  return (
    typeof role === 'string' ||
    (typeof content === 'string' && value['type'] === undefined) ||
    Array.isArray(tool_calls) ||
    Array.isArray(choices)
  );
}

function toMessage(message: Data, fallback: string): Message {
  const { content, parts, tool_calls, tool_call_id, reasoning_content } = message;
  const role = typeof message['role'] === 'string' ? message['role'] : fallback;
  const name = typeof message['name'] === 'string' ? { name: message['name'] } : {};
  if (tool_call_id !== undefined)
    return {
      role,
      parts: [{ type: 'tool_call_response', id: tool_call_id, response: content }],
      ...name,
    };
  return {
    role,
    parts: [
      ...(typeof reasoning_content === 'string'
        ? [{ type: 'reasoning', content: reasoning_content }]
        : []),
      ...partsOf(content ?? parts),
      ...(Array.isArray(tool_calls) ? tool_calls.map(toToolCall) : []),
    ],
    ...name,
  };
}

function partsOf(content: unknown): readonly Part[] {
  if (content === undefined || content === null || content === '') return [];
  if (Array.isArray(content)) return content.map(toPart);
  return [toPart(content)];
}

function toPart(part: unknown): Part {
  if (typeof part === 'string') return { type: 'text', content: part };
  if (!isData(part)) return { type: 'text', content: JSON.stringify(part) };
  const { type, text } = part;
  switch (type) {
    case 'thinking':
      return { type: 'reasoning', content: part['thinking'] };
    case 'tool_use':
      return {
        type: 'tool_call',
        id: part['id'],
        name: part['name'],
        arguments: part['input'],
      };
    case 'tool_result':
      return { type: 'tool_call_response', id: part['tool_use_id'], response: part['content'] };
    case 'image':
    case 'document':
      return toMedia(type, part) ?? (part as Part);
    case 'image_url':
      return toMedia('image', part) ?? (part as Part);
    default:
  }
  // text, input_text, output_text, and Gemini's parts, which have no type
  if (typeof text === 'string') return { type: 'text', content: text };
  return typeof type === 'string'
    ? (part as Part)
    : { type: 'text', content: JSON.stringify(part) };
}

function toMedia(modality: string, part: Data): Part | undefined {
  const source = isData(part['source']) ? part['source'] : {};
  const image = isData(part['image_url']) ? part['image_url']['url'] : part['image_url'];
  const { data, media_type, url = image } = source;
  if (typeof data === 'string')
    return { type: 'blob', modality, mime_type: media_type, content: data };
  if (typeof url !== 'string') return undefined;
  const [, mime_type, content] = /^data:([^;,]+);base64,(.*)$/s.exec(url) ?? [];
  return content === undefined
    ? { type: 'uri', modality, uri: url }
    : { type: 'blob', modality, mime_type, content };
}

function toToolCall(call: unknown): Part {
  if (!isData(call)) return toPart(call);
  const { name, arguments: args } = isData(call['function']) ? call['function'] : call;
  return {
    type: 'tool_call',
    id: call['id'],
    name,
    arguments: typeof args === 'string' ? parsed(args) : args,
  };
}

/** A model writes arguments as JSON, mostly; how deep it nests them is up to it too. */
function parsed(json: string): unknown {
  try {
    return toPlainData(JSON.parse(json));
  } catch {
    return json;
  }
}

function isData(value: unknown): value is Data {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
