/** Shared by every copy and version of this package in the process: one listener for all exporters. */
const KEY: unique symbol = Symbol.for('@pyagent-trace/exit');

interface ExitHook {
  readonly tasks: Set<() => void>;
  readonly listener: () => void;
}

const shared = globalThis as { [KEY]?: ExitHook };

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

function createHook(): ExitHook {
  const tasks = new Set<() => void>();
  return {
    tasks,
    listener: () => {
      for (const task of tasks) task();
    },
  };
}
