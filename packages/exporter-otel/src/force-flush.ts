import { messageOf, toDelayMs } from '@pyagent-trace/core';

/** What is behind a provider. The global one is a proxy, which has no `forceFlush`. */
interface Flushable {
  readonly getDelegate?: () => Flushable;
  readonly forceFlush?: () => Promise<void>;
}

/**
 * Has providers send what they have.
 *
 * @returns what went wrong, or `undefined`; never rejects
 */
export async function forceFlush(
  providers: () => readonly Flushable[],
  timeoutMs: number,
): Promise<string | undefined> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<string>((resolve) => {
    const message = `forceFlush did not end within ${timeoutMs} ms`;
    timer = setTimeout(resolve, toDelayMs(timeoutMs), message);
  });
  const done = flushAll(providers).then(
    () => undefined,
    (error: unknown) => `forceFlush: ${[error].flat().map(messageOf).join('; ')}`,
  );
  try {
    return await Promise.race([done, late]);
  } finally {
    clearTimeout(timer);
  }
}

async function flushAll(providers: () => readonly Flushable[]): Promise<void> {
  await Promise.all(
    providers().map(async (provider) => {
      const behind = provider.getDelegate?.() ?? provider;
      await behind.forceFlush?.();
    }),
  );
}
