import { fileURLToPath } from 'node:url';
import { parseOptions } from '@pyagent-trace/core/schema';
import * as z from 'zod';
import type { ReplayTiming } from '../replay/given-answer.ts';
import { REPLAY_MODES, type ReplayMode, resolveMode } from '../replay-mode.ts';

export interface CassetteFetchOptions {
  /** A path or `file:` URL. */
  readonly path: string | URL;
  /**
   * Whether answers come from the file or from the network. `PYAGENT_TRACE_REPLAY` overrides it, and
   * where `CI` is `true` or `1`, `auto` means `replay`.
   *
   * @default 'replay'
   */
  readonly mode?: ReplayMode | undefined;
  /**
   * What goes to the network.
   *
   * @default globalThis.fetch, as it is when a request is made
   */
  readonly fetch?: typeof globalThis.fetch | undefined;
  /**
   * What is not compared: places in a request, keys joined by dots from `method`, `origin`, `path`,
   * `query`, `headers` and `body` on, `*` for any key or index, such as `body.metadata.request_id`.
   *
   * @default []
   */
  readonly ignore?: readonly string[] | undefined;
  /**
   * How long replayed answers take: no time, or as long as they did.
   *
   * @default 'none'
   */
  readonly timing?: ReplayTiming | undefined;
}

/** For errors. */
export const PLACE = 'cassetteFetch';

function isPath(value: unknown): boolean {
  return value instanceof URL
    ? value.protocol === 'file:'
    : typeof value === 'string' && value !== '';
}

/** A path that leads nowhere would be compared, and nothing would say so. */
const IgnoredSchema = z
  .string()
  .regex(
    /^(?:method|origin|path|query|headers|body)(?:\.[^.]+)*$/,
    'expected keys joined by dots, from method, origin, path, query, headers or body on',
  );

const OptionsSchema = z.strictObject({
  path: z.custom<string | URL>(isPath, 'expected a path or file: URL'),
  mode: z.enum(REPLAY_MODES).optional(),
  fetch: z
    .custom<typeof globalThis.fetch>((value) => typeof value === 'function', 'expected a function')
    .optional(),
  ignore: z.array(IgnoredSchema).default([]),
  timing: z.enum(['none', 'recorded']).default('none'),
});

export interface CheckedOptions {
  readonly path: string;
  readonly mode: ReplayMode;
  readonly fetch: typeof globalThis.fetch | undefined;
  readonly ignore: readonly string[];
  readonly isTimed: boolean;
}

/** @throws {TraceError} `invalid_option` */
export function checkOptions(options: CassetteFetchOptions): CheckedOptions {
  const { path, mode, fetch, ignore, timing } = parseOptions(OptionsSchema, options, PLACE);
  return {
    path: path instanceof URL ? fileURLToPath(path) : path,
    mode: resolveMode(mode, PLACE),
    fetch,
    ignore,
    isTimed: timing === 'recorded',
  };
}
