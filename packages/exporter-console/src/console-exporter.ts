import {
  type ExporterStats,
  type FlushOptions,
  messageOf,
  type TraceEvent,
  type TraceExporter,
} from '@pyagent-trace/core';
import { objectWith, parseOptions } from '@pyagent-trace/core/schema';
import * as z from 'zod';
import { formatLine } from './line.ts';
import { layOut } from './row.ts';
import { type ConsoleOutput, Sink } from './sink.ts';
import { MAX_WIDTH } from './text.ts';
import { Tree } from './tree.ts';

export interface ConsoleExporterOptions {
  /**
   * Where to print: a Node stream, or anything with `write(text)`.
   *
   * @default process.stdout
   */
  readonly output?: ConsoleOutput;
  /**
   * `line`: each event is one line, as the Python `ConsoleExporter` prints it, and whole. `pretty`: a
   * live tree of patterns, agents and calls.
   *
   * @default `pretty` on a terminal, else `line`
   */
  readonly format?: 'line' | 'pretty';
  /**
   * Colors of `pretty`. Without it `FORCE_COLOR` and `NO_COLOR` decide, in this order, when set and
   * not empty.
   *
   * @default whether the output is a terminal
   */
  readonly color?: boolean;
  /**
   * Characters in a line of `pretty`, from 40 to 1,000.
   *
   * @default the terminal's width as it is at each line, else `COLUMNS`, else 100
   */
  readonly columns?: number;
}

const MIN_WIDTH = 40;
const DEFAULT_WIDTH = 100;

const OptionsSchema = z.strictObject({
  output: objectWith<ConsoleOutput>('write', 'an object with a write(text) method').optional(),
  format: z.enum(['line', 'pretty']).optional(),
  color: z.boolean().optional(),
  columns: z.int().min(MIN_WIDTH).max(MAX_WIDTH).optional(),
});

/**
 * Prints events to a terminal, or to anything that takes text.
 *
 * @example
 * ```ts
 * const bus = new TraceEventBus();
 * bus.attach(new ConsoleExporter());
 * ```
 */
export class ConsoleExporter implements TraceExporter {
  readonly name = 'console';
  readonly #sink: Sink;
  readonly #tree: Tree | undefined;
  /** Rows of the event that is being taken. */
  #rows = '';
  /** Why there is no row where there should be one. */
  #problem: string | undefined;
  #taking = false;
  #accepted = 0;
  /** Events given to the sink, with their text or as part of it. */
  #issued = 0;
  #shutdown: Promise<void> | undefined;

  /** @throws {TraceError} `invalid_option` */
  constructor(options: ConsoleExporterOptions = {}) {
    const {
      output = process.stdout,
      format = output.isTTY === true ? 'pretty' : 'line',
      color = wantsColor(output),
      columns: fixedColumns,
    } = parseOptions(OptionsSchema, options, 'ConsoleExporter');
    this.#sink = new Sink(output);
    if (format === 'line') return;
    const fallback = Number(process.env['COLUMNS']) || DEFAULT_WIDTH;
    this.#tree = new Tree((row) => {
      // what throws in here would not leave the assembler
      try {
        const columns = fixedColumns ?? (output.columns || fallback);
        const allowed = Math.min(Math.max(columns, MIN_WIDTH), MAX_WIDTH);
        this.#rows += `${layOut(row, allowed, color)}\n`;
      } catch (error) {
        this.#problem = messageOf(error);
      }
      // a call whose cost did not come in time
      if (!this.#taking) this.#issue();
    });
  }

  /** Prints one event. Never throws. Works detached. */
  readonly exportEvent = (event: TraceEvent): void => {
    const refusal =
      this.#shutdown === undefined ? this.#sink.refusal() : 'the exporter is shut down';
    if (refusal !== undefined) {
      this.#sink.drop(refusal);
      return;
    }
    this.#accepted += 1;
    this.#take((tree) => {
      if (tree === undefined) this.#rows = `${formatLine(event)}\n`;
      else tree.add(event);
    });
  };

  /**
   * Prints the calls that wait for their cost, and waits until the output has taken everything.
   *
   * @param options `timeoutMs` is 5,000 by default
   */
  async flush(options?: FlushOptions): Promise<void> {
    this.#take((tree) => tree?.flush());
    await this.#sink.settled(options);
  }

  /** Like `flush`; what is open is printed as incomplete. The output itself is left open. */
  shutdown(options?: FlushOptions): Promise<void> {
    this.#take((tree) => tree?.shutdown());
    return (this.#shutdown ??= this.#sink.settled(options));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.shutdown();
  }

  /** A call that is not printed yet counts as one pending event. */
  stats(): ExporterStats {
    const stats = this.#sink.stats();
    const accepted = this.#accepted;
    return { accepted, ...stats, pending: accepted - stats.delivered - stats.failed };
  }

  #take(work: (tree: Tree | undefined) => void): void {
    this.#taking = true;
    try {
      work(this.#tree);
    } catch (error) {
      this.#problem = messageOf(error);
    }
    this.#taking = false;
    this.#issue();
  }

  /** Hands the rows to the sink, with the number of events that they complete. */
  #issue(): void {
    const rows = this.#rows;
    const problem = this.#problem;
    const complete = this.#accepted - (this.#tree?.held ?? 0);
    const events = complete - this.#issued;
    this.#rows = '';
    this.#problem = undefined;
    this.#issued = complete;
    if (problem === undefined) this.#sink.write(rows, events);
    else this.#sink.fail(events, problem);
  }
}

/** https://no-color.org and https://force-color.org; `FORCE_COLOR=0` is read as Node reads it. */
function wantsColor({ isTTY }: ConsoleOutput): boolean {
  const { FORCE_COLOR, NO_COLOR, TERM } = process.env;
  if (FORCE_COLOR) return FORCE_COLOR !== '0' && FORCE_COLOR !== 'false';
  return isTTY === true && !NO_COLOR && TERM !== 'dumb';
}
