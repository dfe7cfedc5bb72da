import {
  createTraceEvent,
  type EventSink,
  type ExporterStats,
  type FlushOptions,
  messageOf,
  toPlainData,
  TraceError,
  type TraceEvent,
  type TraceEventInit,
  type TraceExporter,
  type TracePayload,
} from '@pyagent-trace/core';
import type { ReadOptions, TraceSource } from '@pyagent-trace/core/read';
import { parseOptions } from '@pyagent-trace/core/schema';
import { encodeEntry, plainPayload } from './entry-of.ts';
import { EventEntries } from './event-entries.ts';
import { MemoryLines } from './memory-lines.ts';
import { OptionsSchema, type RecorderOptions, toPath } from './options.ts';
import { readRecording } from './read-recording.ts';
import {
  namedMessage,
  type RecordEntry,
  type RecordMessage,
  type RecordMessageInit,
} from './record-entry.ts';
import { RecordingFile } from './recording-file.ts';
import { saveLines } from './save-lines.ts';

/** A model call, as `recordLlmCall` takes it. */
export interface LlmCallRecord {
  readonly agent_name: string;
  readonly messages: readonly RecordMessageInit[];
  readonly response: string;
  /** `model`, token counts, and whatever else is known. */
  readonly metadata?: TracePayload;
}

const FLUSH_TIMEOUT_MS = 5_000;
const FIRST_RETRY_MS = 10;
const MAX_RETRY_MS = 1_000;

/**
 * Records runs for debugging and replay: by its own methods, as Python's `Recorder` does, or attached to a
 * bus. Entries are kept in memory, at most 128 MiB of them, or with `path` written to a file at once,
 * where a kill loses none.
 *
 * @example
 * ```ts
 * const recorder = new Recorder();
 * recorder.start('debate');
 * recorder.recordLlmCall({ agent_name: 'bull', messages, response });
 * recorder.end('Buy.');
 * await recorder.save('debate.jsonl');
 * ```
 *
 * @example
 * ```ts
 * bus.attach(new Recorder({ path: 'debate.jsonl' }));
 * ```
 */
export class Recorder implements TraceExporter {
  readonly name = 'recorder';
  readonly #bus: EventSink | undefined;
  readonly #path: string | undefined;
  readonly #store: MemoryLines | RecordingFile;
  readonly #events = new EventEntries((entry, events) => this.#keep(entry, events));
  /** Emitted by this recorder: what comes back from the bus is recorded already. */
  readonly #own = new WeakSet<TraceEvent>();
  #startedAt: number | undefined;
  #accepted = 0;
  #dropped = 0;
  /** Came back from the bus. */
  #returned = 0;
  #failed = 0;
  #error: string | undefined;
  #closed: Promise<void> | undefined;

  /** @throws {TraceError} `invalid_option` */
  constructor(options: RecorderOptions = {}) {
    const { bus, path } = parseOptions(OptionsSchema, options, 'Recorder');
    this.#bus = bus;
    if (path !== undefined) this.#path = toPath(path, 'Recorder: path');
    this.#store = this.#path === undefined ? new MemoryLines() : new RecordingFile(this.#path);
  }

  /** Marks the start of a pattern. */
  start(patternType: string): void {
    const metadata = { pattern_type: patternType };
    this.#startedAt = this.#record(
      { event_type: 'pattern_start', metadata },
      { pattern_type: patternType, payload: metadata },
    );
  }

  /** Records a model call and its answer. */
  recordLlmCall({ agent_name, messages, response, metadata = {} }: LlmCallRecord): void {
    const known = plainPayload(metadata);
    const payload = { response, model: '', ...known };
    this.#record(
      { event_type: 'llm_call', agent_name, messages, response, metadata: known },
      { agent_name, payload },
    );
  }

  /** Marks the end of a pattern. */
  end(resultOutput: string): void {
    const startedAt = this.#startedAt;
    const timestamp = createTraceEvent({ event_type: 'pattern_end' }).timestamp;
    const duration_seconds = startedAt === undefined ? 0 : timestamp - startedAt;
    this.#record(
      {
        event_type: 'pattern_end',
        timestamp,
        response: resultOutput,
        metadata: { duration_seconds },
      },
      { payload: { result_output: resultOutput, duration_seconds } },
    );
  }

  /**
   * Writes the entries so far to a file, which replaces the one that is there at once. Makes its
   * directories. The file is for its owner alone (mode 0600).
   *
   * @throws {TraceError} `write_failed`, naming the path
   * @throws {TraceError} `invalid_option`
   * @throws {TraceError} `not_kept`, of a recorder with a `path`
   */
  async save(path: string | URL): Promise<void> {
    await saveLines(toPath(path, 'Recorder.save'), [...this.#kept('save')]);
  }

  /**
   * The entries of a recording, of any language. `readRecording` gives them one by one.
   *
   * @param options `onError` hears of lines that are wrong; without it the first of them is thrown
   * @throws {TraceError} `read_failed`, if the file cannot be read
   * @throws {TraceReadError} `invalid_line`, naming file and line
   */
  static async load(source: TraceSource, options?: ReadOptions): Promise<RecordEntry[]> {
    const entries: RecordEntry[] = [];
    for await (const entry of readRecording(source, options)) entries.push(entry);
    return entries;
  }

  /**
   * Copies of the entries so far.
   *
   * @throws {TraceError} `not_kept`, of a recorder with a `path`: `Recorder.load` reads them
   */
  get entries(): RecordEntry[] {
    return this.#kept('entries').map((line) => JSON.parse(line) as RecordEntry);
  }

  /** The entries of model calls, as `entries`. */
  get llmCalls(): RecordEntry[] {
    return this.entries.filter(({ event_type }) => event_type === 'llm_call');
  }

  readonly exportEvent = (event: TraceEvent): void => {
    if (!this.#accept()) return;
    if (this.#own.has(event)) {
      this.#returned += 1;
      return;
    }
    try {
      this.#events.add(event);
    } catch (error) {
      this.#fail(1, error); // no event at all
    }
  };

  /**
   * Resolves when the disk has taken what was recorded, or the timeout, by default 5,000 ms, has passed.
   * Calls that run stay open; one that is part of something that ended gets its entry.
   */
  async flush({ timeoutMs = FLUSH_TIMEOUT_MS }: FlushOptions = {}): Promise<void> {
    const deadlineMs = performance.now() + timeoutMs;
    this.#events.flush();
    this.#store.retry();
    for (let waitMs = FIRST_RETRY_MS; this.#store.stats().pending > 0; waitMs *= 2) {
      const leftMs = deadlineMs - performance.now();
      if (!(leftMs > 0)) return; // NaN ends it too
      await new Promise((resume) => setTimeout(resume, Math.min(waitMs, MAX_RETRY_MS, leftMs)));
      this.#store.retry();
    }
  }

  /** Flushes, closes the file and gives up, as `failed`, what it has not taken. */
  shutdown(options?: FlushOptions): Promise<void> {
    return (this.#closed ??= this.#close(options));
  }

  stats(): ExporterStats {
    const store = this.#store.stats();
    const delivered = this.#returned + store.written;
    const failed = this.#failed + this.#events.lost + store.lost;
    const late = `events that came after their call had ended: ${this.#events.lost}`;
    const error = store.error ?? this.#error ?? (this.#events.lost > 0 ? late : undefined);
    return {
      accepted: this.#accepted,
      dropped: this.#dropped,
      delivered,
      failed,
      pending: this.#accepted - delivered - failed,
      ...(error !== undefined && { error }),
    };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.shutdown();
  }

  async #close(options?: FlushOptions): Promise<void> {
    this.#events.shutdown();
    await this.flush(options);
    this.#store.close();
  }

  #accept(): boolean {
    if (this.#closed === undefined) {
      this.#accepted += 1;
      return true;
    }
    this.#dropped += 1;
    this.#error = 'an event came after shutdown';
    return false;
  }

  /** Records an entry and emits what it stands for. Returns its timestamp. */
  #record(entry: EntryInit, event: Omit<TraceEventInit, 'event_type'>): number {
    const emitted = createTraceEvent({
      ...(entry.timestamp !== undefined && { timestamp: entry.timestamp }),
      ...event,
      event_type: entry.event_type,
    });
    const { timestamp } = emitted;
    if (this.#accept()) this.#keep(() => completed(entry, timestamp), 1);
    if (this.#bus === undefined) return timestamp;
    this.#own.add(emitted);
    try {
      this.#bus.emit(emitted);
    } catch {
      // a bus never throws; another sink must not reach the app either
    }
    return timestamp;
  }

  /** @param entry may throw when it is made, of what an app gives */
  #keep(entry: RecordEntry | (() => RecordEntry), events: number): void {
    try {
      this.#store.append(encodeEntry(typeof entry === 'function' ? entry() : entry), events);
    } catch (error) {
      this.#fail(events, error);
    }
  }

  #fail(events: number, error: unknown): void {
    this.#failed += events;
    this.#error = messageOf(error);
  }

  #kept(member: string): readonly string[] {
    if (this.#store instanceof MemoryLines) return this.#store.lines;
    throw new TraceError(
      'not_kept',
      `Recorder.${member}: entries are in ${this.#path} and not in memory; Recorder.load reads them`,
    );
  }
}

interface EntryInit {
  readonly event_type: string;
  readonly timestamp?: number;
  readonly agent_name?: string;
  readonly messages?: readonly RecordMessageInit[];
  readonly response?: string;
  readonly metadata: TracePayload;
}

function completed(
  { event_type, agent_name = '', messages = [], response = '', metadata }: EntryInit,
  timestamp: number,
): RecordEntry {
  return {
    timestamp,
    event_type,
    agent_name,
    messages_in: messages.map((message) => toPlainData(namedMessage(message)) as RecordMessage),
    response,
    metadata,
  };
}
