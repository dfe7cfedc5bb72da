import { createContext, runInContext } from 'node:vm';

/** Of what a page has, all that the packages may use. No process, Buffer, require, global, setImmediate. */
const GLOBALS = {
  AbortController,
  AbortSignal,
  clearTimeout,
  console,
  crypto,
  performance,
  queueMicrotask,
  setTimeout,
  structuredClone,
  TextDecoder,
  TextEncoder,
  URL,
};

/** Runs a script as a page would, and gives back the `result` that it left. */
export function runAsPage(code: string): unknown {
  const page = createContext({ ...GLOBALS });
  runInContext('globalThis.self = globalThis.window = globalThis;', page);
  runInContext(code, page);
  // from another realm, whose objects have other prototypes
  return JSON.parse(JSON.stringify((page as { result?: unknown }).result));
}
