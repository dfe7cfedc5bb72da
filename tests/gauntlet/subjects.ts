// What is put through the gauntlet: each exporter with its destination, and what it promises of arrival.
import { existsSync } from 'node:fs';
import type { Behaviour, Destination } from './destinations/destination.ts';
import { canMount, FileDestination } from './destinations/file.ts';
import { FULL_DEVICE, PipeDestination } from './destinations/pipe.ts';
import { OTLP_PATH, ServerDestination } from './destinations/server.ts';
import type { SubjectName } from './scenario.ts';

export interface Subject {
  readonly name: SubjectName;
  readonly title: string;
  readonly destination: () => Destination | Promise<Destination>;
  /** What its destination can never do, and why. */
  readonly cannot: Partial<Record<Behaviour, string>>;
  /** What this machine does not let its destination do, and why. */
  readonly lacks: Partial<Record<Behaviour, string>>;
  /**
   * What `delivered` means: events that the destination has, or events that the vendor's SDK has, which
   * tells of its own losses.
   */
  readonly delivers: 'to the destination' | 'to its SDK';
  /** One destination event per event: lines; else spans, whose number depends on how events pair. */
  readonly countsLines: boolean;
}

const NO_HTTP = 'no HTTP';
const onHttp = {
  refuses: NO_HTTP,
  unavailable: NO_HTTP,
  limits: NO_HTTP,
  'finds it wrong': NO_HTTP,
  'finds it too large': NO_HTTP,
  'answers nonsense': NO_HTTP,
  'hangs up': NO_HTTP,
  'takes a part': NO_HTTP,
} satisfies Partial<Record<Behaviour, string>>;
const { refuses: _, ...onHttpAlone } = onHttp;

const windows = process.platform === 'win32';
const onUnix = 'needs a Unix system';

export const subjects: readonly Subject[] = [
  {
    name: 'console',
    title: 'console',
    destination: () => new PipeDestination(),
    cannot: { ...onHttp, 'full for now': 'Node closes stdout at its first failure' },
    lacks: existsSync(FULL_DEVICE) ? {} : { full: `needs ${FULL_DEVICE}` },
    delivers: 'to the destination',
    countsLines: true,
  },
  {
    name: 'jsonl',
    title: 'jsonl',
    destination: () => new FileDestination(),
    cannot: onHttpAlone,
    lacks: {
      ...(windows && { full: onUnix, hangs: onUnix, refuses: onUnix }),
      ...(!canMount() && { 'full for now': 'needs the right to mount' }),
    },
    delivers: 'to the destination',
    countsLines: true,
  },
  {
    name: 'otel',
    title: 'otel, SDK',
    destination: () => ServerDestination.start(OTLP_PATH),
    cannot: {},
    lacks: {},
    delivers: 'to its SDK',
    countsLines: false,
  },
  {
    name: 'langfuse-otlp',
    title: 'langfuse, OTLP',
    destination: () => ServerDestination.start(''),
    cannot: {},
    lacks: {},
    delivers: 'to the destination',
    countsLines: false,
  },
  {
    name: 'langfuse-package',
    title: 'langfuse, package',
    destination: () => ServerDestination.start(''),
    cannot: {},
    lacks: {},
    delivers: 'to the destination',
    countsLines: false,
  },
];
