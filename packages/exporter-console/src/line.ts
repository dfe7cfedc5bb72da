import { toPlainData, type TraceEvent } from '@pyagent-trace/core';
import { escapeControls } from '@pyagent-trace/core';

/** One event as one line without its line feed, as the Python `ConsoleExporter` prints it. */
export function formatLine(event: TraceEvent): string {
  const { event_type, agent_name, pattern_type, payload } = toPlainData(event) as TraceEvent;
  let line = `[${formatValue(event_type)}]`;
  if (pattern_type) line += ` pattern=${formatValue(pattern_type)}`;
  if (agent_name) line += ` agent=${formatValue(agent_name)}`;
  const entries = formatEntries(payload);
  return escapeControls(entries === '' ? line : `${line} ${entries}`);
}

/** `key=value` pairs with spaces between them. Takes plain data. */
export function formatEntries(payload: unknown): string {
  // a payload that could not be read is a word in brackets
  if (typeof payload !== 'object' || payload === null) return formatValue(payload);
  return Object.entries(payload)
    .map(([key, value]) => `${key}=${formatValue(value)}`)
    .join(' ');
}

/** Strings as they are, everything else as JSON. Takes plain data. */
export function formatValue(value: unknown): string {
  return typeof value === 'string' ? value : (JSON.stringify(value) ?? '');
}
