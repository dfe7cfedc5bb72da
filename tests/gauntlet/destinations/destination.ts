import type { ChildProcess } from 'node:child_process';

/** What a destination does with what comes. */
export type Behaviour =
  | 'well'
  | 'down'
  | 'slow'
  | 'hangs'
  | 'full'
  /** As `full`, of the kind that may get room again. */
  | 'full for now'
  /** For good: it is the wrong place, or the wrong key. */
  | 'refuses'
  /** 503. */
  | 'unavailable'
  /** 429, with Retry-After. */
  | 'limits'
  /** 400. */
  | 'finds it wrong'
  /** 413, whatever comes. */
  | 'finds it too large'
  /** 200, and a page of a proxy. */
  | 'answers nonsense'
  /** Takes everything, and closes the connection instead of answering. */
  | 'hangs up'
  /** Takes all but one of each request. */
  | 'takes a part';

/** Counted where it arrives, without a word from the exporter. */
export interface Arrived {
  readonly events: number;
  /** Of these, events that came a second time and were kept as another one. */
  readonly twice: number;
}

/** Where events of one cell go: real, on this machine, and able to fail. */
export interface Destination extends AsyncDisposable {
  /** What the exporter gets: a path, or a URL. */
  readonly address: string;
  /** A command in front of the program, that changes what it may do. */
  readonly prefix?: readonly string[] | undefined;
  /** Where the program's stdout goes; by default it must stay empty. */
  readonly stdout?: number | 'pipe';
  /** How much longer each write to a file takes. */
  readonly slowDiskMs?: number;
  /** Called once the program runs. */
  connect?(child: ChildProcess): void;
  behave(behaviour: Behaviour): Promise<void> | void;
  /** The program has done all it does; whoever hung lets go. */
  release?(): void;
  /** Once the program has ended. */
  arrived(): Promise<Arrived> | Arrived;
}
