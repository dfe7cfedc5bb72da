import { TraceError } from '@pyagent-trace/core';

/**
 * - `replay`: every answer comes from the recording; a miss is an error.
 * - `record`: everything is done, and recorded anew.
 * - `auto`: what the recording has is replayed, what it lacks is done and added. In CI it means `replay`.
 * - `live`: everything is done, nothing is recorded.
 */
export type ReplayMode = 'record' | 'replay' | 'auto' | 'live';

export const REPLAY_MODES: readonly ReplayMode[] = ['record', 'replay', 'auto', 'live'];

/**
 * The mode that holds: `PYAGENT_TRACE_REPLAY`, else the option, else `replay`. `auto` is `replay` where
 * `CI` is `true` or `1`, whoever asks for it.
 *
 * @param place whose option it is, for the error
 * @throws {TraceError} `invalid_option` if the variable names no mode
 */
export function resolveMode(
  option: ReplayMode | undefined,
  place: string,
  env: Readonly<Record<string, string | undefined>> = process.env,
): ReplayMode {
  const fromEnv = env['PYAGENT_TRACE_REPLAY'];
  const mode = fromEnv === undefined || fromEnv === '' ? (option ?? 'replay') : fromEnv;
  if (!isMode(mode))
    throw new TraceError(
      'invalid_option',
      `${place}: PYAGENT_TRACE_REPLAY: expected ${REPLAY_MODES.join(', ')}, got ${JSON.stringify(mode)}`,
    );
  return mode === 'auto' && /^(?:1|true)$/i.test(env['CI'] ?? '') ? 'replay' : mode;
}

function isMode(value: string): value is ReplayMode {
  return (REPLAY_MODES as readonly string[]).includes(value);
}
