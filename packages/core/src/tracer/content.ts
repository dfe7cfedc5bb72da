import { CONTEXT_KEYS } from '../context-keys.ts';
import type { TracePayload } from '../event.ts';

/**
 * Keys whose values are neither prompt nor answer, so that `captureContent: false` keeps them.
 *
 * A list of what stays, not of what goes: providers name their prompts `messages`, `contents`,
 * `instructions` and so on, and the next name must not get through.
 */
const KEPT: ReadonlySet<string> = new Set([
  ...CONTEXT_KEYS,
  'tags',
  'metadata',
  'pattern_type',
  'status',
  'role',
  'agent_id',
  'provider',
  'model',
  'operation',
  'response_id',
  'finish_reasons',
  'tool_name',
  'tool_call_id',
  'difficulty_category',
  'selected_model',
  'alternatives',
  'reasoning_effort',
  'service_tier',
  'tool_choice',
  'message',
  'error_type',
  'code',
  'stack',
  'source',
]);

/** The payload without content: of a key that is not known to be harmless only a number or a boolean. */
export function withoutContent(payload: TracePayload): TracePayload {
  return Object.fromEntries(
    Object.entries(payload).filter(
      ([key, value]) => KEPT.has(key) || typeof value === 'number' || typeof value === 'boolean',
    ),
  );
}
