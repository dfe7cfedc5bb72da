/** What comes of the body of an answer. One of the last three ends it. */
export interface BodyListener {
  /** The bytes stay as they are. */
  chunk(bytes: Uint8Array): void;
  ended(): void;
  failed(error: unknown): void;
  /** The reader wants no more, or nobody can read it any more. */
  cancelled(): void;
}

/** Read ahead of the app, so that the short answers of errors are whole though nobody reads them. */
const READ_AHEAD_BYTES = 64 * 1024;

const abandoned = new FinalizationRegistry<() => void>((cancel) => cancel());

/** The same body, while a listener hears what comes. As fast as it is read, 64 KiB aside. */
export function tapBody(
  body: ReadableStream<Uint8Array>,
  listener: BodyListener,
): ReadableStream<Uint8Array> {
  const reader = body.getReader();
  const cancel = async (reason?: unknown): Promise<void> => {
    listener.cancelled();
    await reader.cancel(reason);
  };
  const tapped = new ReadableStream(
    { type: 'bytes', pull: (controller) => pull(reader, controller, listener), cancel },
    { highWaterMark: READ_AHEAD_BYTES },
  );
  abandoned.register(tapped, () => void cancel().catch(() => {}));
  return tapped;
}

async function pull(
  reader: ReadableStreamDefaultReader<Uint8Array>,
  controller: ReadableByteStreamController,
  listener: BodyListener,
): Promise<void> {
  try {
    let { done, value } = await reader.read();
    while (value?.byteLength === 0) ({ done, value } = await reader.read());
    if (done || value === undefined) {
      controller.close();
      controller.byobRequest?.respond(0);
      listener.ended();
      return;
    }
    listener.chunk(new Uint8Array(value));
    // a copy too: a byte stream takes the memory away from whose it is
    controller.enqueue(new Uint8Array(value));
  } catch (error) {
    controller.error(error);
    listener.failed(error);
  }
}
