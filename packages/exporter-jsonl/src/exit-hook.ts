/** Shared by every copy and version of this package in the process: one listener for all exporters. */
const KEY: unique symbol = Symbol.for('@pyagent-trace/exit');
const PAUSE_MS = 10;
/** How much later a process may end because of all exporters together. */
const MAX_PAUSES_MS = 1_000;

interface ExitHook {
  readonly tasks: Set<() => void>;
  readonly listener: () => void;
}

const shared = globalThis as { [KEY]?: ExitHook };
let pausedMs = 0;

/** Runs a task when the process exits, after which only synchronous work still counts. */
export function runAtExit(task: () => void): void {
  const { tasks, listener } = (shared[KEY] ??= createHook());
  if (tasks.size === 0) process.on('exit', listener);
  tasks.add(task);
}

/** Forgets a task; with the last one goes the listener. */
export function cancelAtExit(task: () => void): void {
  const hook = shared[KEY];
  if (hook?.tasks.delete(task) === true && hook.tasks.size === 0)
    process.off('exit', hook.listener);
}

/** Stops the thread for 10 ms; in all for a second, and then says `false` at once. */
export function pauseAtExit(): boolean {
  if (pausedMs >= MAX_PAUSES_MS) return false;
  pausedMs += PAUSE_MS;
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, PAUSE_MS);
  return true;
}

function createHook(): ExitHook {
  const tasks = new Set<() => void>();
  return {
    tasks,
    listener: () => {
      for (const task of tasks) task();
    },
  };
}
