import { describe, expect, test } from 'vitest';
import { encodeTraceEvent } from '../encode.ts';
import type { TraceEvent } from '../event.ts';
import type { ExporterStats, FlushOptions, TraceExporter } from '../exporter.ts';
import { exporterContract } from './exporter-contract.ts';
import type { ExporterSubject } from './exporter-subject.ts';

/** What a test breaks is open here: everything an exporter would keep private. */
class QueueExporter implements TraceExporter {
  readonly name = 'queue';
  readonly sent: string[] = [];
  state: 'ready' | 'refusing' | 'hanging' = 'ready';
  queue: string[] = [];
  accepted = 0;
  dropped = 0;
  error: string | undefined;
  timer: ReturnType<typeof setTimeout> | undefined;
  closed: Promise<void> | undefined;
  sending: Promise<void> | undefined;

  exportEvent = (event: TraceEvent): void => {
    if (this.closed !== undefined) {
      this.dropped += 1;
      return;
    }
    this.accepted += 1;
    this.queue.push(encodeTraceEvent(event));
    this.timer ??= this.delay();
  };

  delay = (): ReturnType<typeof setTimeout> => setTimeout(() => void this.send(), 60_000).unref();

  send = (): Promise<void> =>
    (this.sending ??= this.sendAll().finally(() => (this.sending = undefined)));

  async sendAll(): Promise<void> {
    while (this.queue.length > 0) {
      if (!(await this.post(this.queue.slice(0, 100)))) return;
      this.queue.splice(0, 100);
    }
  }

  post = async (lines: string[]): Promise<boolean> => {
    if (this.state === 'ready') await new Promise((resolve) => setImmediate(resolve));
    this.error = this.state === 'ready' ? undefined : `the destination is ${this.state}`;
    if (this.state === 'hanging') await new Promise(() => {});
    if (this.state === 'ready') this.sent.push(...lines);
    return this.state === 'ready';
  };

  flush = async ({ timeoutMs = 5_000 }: FlushOptions = {}): Promise<void> => {
    clearTimeout(this.timer);
    this.timer = undefined;
    let timer: ReturnType<typeof setTimeout> | undefined;
    const late = new Promise<void>((resolve) => (timer = setTimeout(resolve, timeoutMs)));
    await Promise.race([this.send(), late]);
    clearTimeout(timer);
  };

  shutdown = (options?: FlushOptions): Promise<void> => (this.closed ??= this.flush(options));

  stats = (): ExporterStats => {
    const { accepted, dropped, error } = this;
    const pending = this.queue.length;
    const delivered = accepted - pending;
    const reason = error === undefined ? {} : { error };
    return { accepted, dropped, delivered, failed: 0, pending, ...reason };
  };

  async [Symbol.asyncDispose](): Promise<void> {
    await this.shutdown();
  }
}

function subjectOf(exporter: QueueExporter): Required<ExporterSubject> {
  return {
    exporter,
    arrivedSpanIds: () =>
      exporter.sent.map((line) => (JSON.parse(line) as TraceEvent).payload['span_id'] as string),
    refuse: () => void (exporter.state = 'refusing'),
    recover: () => void (exporter.state = 'ready'),
    hang: () => void (exporter.state = 'hanging'),
    dispose: () => clearTimeout(exporter.timer),
  };
}

type Sabotage = (exporter: QueueExporter) => void;

/** Per rule, exporters that break it, and what the kit says of each. */
const BROKEN: Record<string, [broken: string, sabotage: Sabotage, complaint: RegExp][]> = {
  'delivers in order by the time flush resolves': [
    [
      'one that delivers the newest first',
      (exporter) => {
        const { post } = exporter;
        exporter.post = async (lines) => post(lines.toReversed());
      },
      /call \w+ is out of order/,
    ],
    [
      'one whose flush resolves too early',
      (exporter) => {
        exporter.flush = async () => void exporter.send();
      },
      /after flush: dropped 0, failed 0, pending \d+/,
    ],
    [
      'one that counts as delivered what it never sent',
      (exporter) => {
        exporter.post = async () => true;
      },
      /after flush: 14 spans did not arrive/,
    ],
    [
      'one whose flush rejects',
      (exporter) => {
        exporter.flush = async () => Promise.reject(new Error('no route'));
      },
      /flush\(\) threw or rejected: no route/,
    ],
  ],
  'works detached': [
    [
      'one that needs its this',
      (exporter) => {
        const { exportEvent } = exporter;
        exporter.exportEvent = function (this: QueueExporter, event) {
          exportEvent.call(this.queue && this, event);
        };
      },
      /exportEvent threw on pattern_start: Cannot read properties of undefined/,
    ],
  ],
  'leaves the event unchanged': [
    [
      'one that adds a key to the payload',
      (exporter) => {
        beforeExport(exporter, ({ payload }) => Object.assign(payload, { host: 'here' }));
      },
      /exportEvent threw on pattern_start: Cannot add property host/,
    ],
    [
      'one that changes what is not frozen',
      (exporter) => {
        beforeExport(exporter, ({ payload }) => Reflect.set(payload, 'host', 'here'));
      },
      /the exporter changed an event/,
    ],
    [
      'one that loses a frozen event',
      (exporter) => {
        const { exportEvent } = exporter;
        exporter.exportEvent = (event) => {
          if (Object.isFrozen(event.payload)) exporter.dropped += 1;
          else exportEvent(event);
        };
      },
      /dropped 8, failed 0, pending 0/,
    ],
  ],
  'takes what it needs of an event before exportEvent returns': [
    [
      'one that serialises at flush',
      (exporter) => {
        const events: TraceEvent[] = [];
        exporter.exportEvent = (event) => {
          exporter.accepted += 1;
          exporter.queue.push('');
          events.push(event);
        };
        const { post } = exporter;
        exporter.post = async (lines) => post(events.splice(0, lines.length).map(encodeTraceEvent));
      },
      /of events changed after exportEvent: 4 spans did not arrive/,
    ],
  ],
  'passes unknown event types': [
    [
      'one that throws on them',
      (exporter) => {
        beforeExport(exporter, ({ event_type }) => {
          if (event_type.includes('.')) throw new TypeError(`what is ${event_type}?`);
        });
      },
      /exportEvent threw on vendor\.future_event: what is vendor\.future_event\?/,
    ],
    [
      'one that drops them',
      (exporter) => {
        const { exportEvent } = exporter;
        exporter.exportEvent = (event) => {
          if (event.event_type.includes('.')) exporter.dropped += 1;
          else exportEvent(event);
        };
      },
      /dropped 3, pending 0 of unknown type/,
    ],
    [
      'one that ignores them without counting',
      (exporter) => {
        const { exportEvent } = exporter;
        exporter.exportEvent = (event) => {
          if (!event.event_type.includes('.')) exportEvent(event);
        };
      },
      /accepted \(0\) \+ dropped \(0\) is not the 1 given/,
    ],
  ],
  'takes every hostile payload without throwing': [
    [
      'one that trusts JSON.stringify',
      (exporter) => {
        beforeExport(exporter, (event) => void JSON.stringify(event));
      },
      /exportEvent threw on a BigInt/,
    ],
    [
      'one that gives up what it cannot write',
      (exporter) => {
        const { exportEvent } = exporter;
        exporter.exportEvent = (event) => {
          if (encodeTraceEvent(event).includes('"model":"1180591620717411303424"'))
            exporter.dropped += 1;
          else exportEvent(event);
        };
      },
      /with hostile payloads: 1 spans did not arrive/,
    ],
  ],
  'flushes when idle and twice at once': [
    [
      'one that throws on an empty queue',
      (exporter) => {
        const { flush } = exporter;
        exporter.flush = async (options) => {
          if (exporter.queue.length === 0) throw new RangeError('empty batch');
          return flush(options);
        };
      },
      /flush\(\) threw or rejected: empty batch/,
    ],
    [
      'one whose second flush does not wait for the first',
      (exporter) => {
        const { flush } = exporter;
        let flushing = false;
        exporter.flush = async (options) => {
          if (flushing) return;
          flushing = true;
          await flush(options);
          flushing = false;
        };
      },
      /after flush 2 of 2 at once: dropped 0, failed 0, pending 8/,
    ],
  ],
  'shutdown delivers what is queued and returns the same promise each time': [
    [
      'one that shuts down with a full queue',
      (exporter) => {
        exporter.shutdown = () => (exporter.closed ??= Promise.resolve());
      },
      /after shutdown: dropped 0, failed 0, pending 8/,
    ],
    [
      'one that shuts down twice',
      (exporter) => {
        exporter.shutdown = async (options) => exporter.flush(options);
      },
      /a second shutdown\(\) returned another promise/,
    ],
    [
      'one that forgets its shutdown once it is done',
      (exporter) => {
        const { shutdown } = exporter;
        exporter.shutdown = (options) => {
          const closed = shutdown(options);
          void closed.then(() => (exporter.closed = undefined));
          return closed;
        };
      },
      /a later shutdown\(\) returned another promise/,
    ],
    [
      'one that cannot be disposed of',
      (exporter) => {
        exporter[Symbol.asyncDispose] = async () => Promise.reject(new Error('not open'));
      },
      /shutdown\(\) threw or rejected: not open/,
    ],
  ],
  'counts, and survives, an event after shutdown': [
    [
      'one that throws when it is shut down',
      (exporter) => {
        beforeExport(exporter, () => {
          if (exporter.closed !== undefined) throw new Error('write after end');
        });
      },
      /exportEvent threw on pattern_start: write after end/,
    ],
    [
      'one that ignores late events without counting',
      (exporter) => {
        const { exportEvent } = exporter;
        exporter.exportEvent = (event) => {
          if (exporter.closed === undefined) exportEvent(event);
        };
      },
      /accepted \(8\) \+ dropped \(0\) is not the 9 given/,
    ],
    [
      'one that goes on after shutdown',
      (exporter) => {
        exporter.exportEvent = (event) => {
          exporter.accepted += 1;
          exporter.queue.push(encodeTraceEvent(event));
        };
      },
      /8 came after shutdown, dropped is 0/,
    ],
  ],
  'accounts for 10,000 events': [
    [
      'one that shifts the oldest out unseen',
      (exporter) => {
        afterExport(exporter, () => {
          if (exporter.queue.length > 1_000) exporter.queue.shift();
        });
      },
      /after 10,000 events at once: \d+ spans did not arrive, but dropped \+ failed \+ pending is 0/,
    ],
    [
      'one whose counts do not add up',
      (exporter) => {
        const { stats } = exporter;
        exporter.stats = () => ({ ...stats(), pending: Math.min(exporter.queue.length, 1_000) });
      },
      /delivered \(0\) \+ failed \(0\) \+ pending \(1000\) is not accepted \(1001\)/,
    ],
    [
      'one whose counts are none',
      (exporter) => {
        const { stats } = exporter;
        exporter.stats = () => ({ ...stats(), failed: Number.NaN });
      },
      /stats\(\)\.failed is NaN after exportEvent of pattern_start, which is no count/,
    ],
    [
      'one that drops everything',
      (exporter) => {
        exporter.exportEvent = () => {
          exporter.dropped += 1;
          exporter.error = 'full';
        };
      },
      /nothing of 10,000 events was delivered/,
    ],
  ],
  'survives a destination that refuses and recovers': [
    [
      'one that passes the refusal on',
      (exporter) => {
        const { post } = exporter;
        exporter.post = async (lines) => {
          if (!(await post(lines))) throw new Error('503');
          return true;
        };
      },
      /flush\(\) threw or rejected: 503/,
    ],
    [
      'one that is dead after the first refusal',
      (exporter) => {
        const { post } = exporter;
        let dead = false;
        exporter.post = async (lines) => {
          if (dead) return false;
          dead = !(await post(lines));
          return !dead;
        };
      },
      /after the destination recovered: \d+ spans did not arrive/,
    ],
    [
      'one that counts refused events as delivered',
      (exporter) => {
        const { post } = exporter;
        exporter.post = async (lines) => post(lines).then(() => true);
      },
      /while refused: 4 spans did not arrive, but dropped \+ failed \+ pending is 0/,
    ],
    [
      'one that does not say why',
      (exporter) => {
        const { stats } = exporter;
        exporter.stats = () => {
          const { error: _, ...counts } = stats();
          return counts;
        };
      },
      /while refused: 4 spans did not arrive and stats\(\)\.error does not say why/,
    ],
  ],
  'does not keep the process alive': [
    [
      'one with a timer that is not unref’d',
      (exporter) => {
        exporter.delay = () => setTimeout(() => void exporter.send(), 60_000);
      },
      /with events waiting, Timeout keeps the process alive/,
    ],
    [
      'one that starts a timer at flush',
      (exporter) => {
        const { flush } = exporter;
        exporter.flush = async (options) => {
          await flush(options);
          exporter.timer = setTimeout(() => {}, 60_000);
        };
      },
      /after flush, Timeout keeps the process alive/,
    ],
  ],
  'ends flush within its timeout when the destination hangs': [
    [
      'one that waits for ever',
      (exporter) => {
        exporter.flush = async () => exporter.send();
      },
      /flush\(\{ timeoutMs: 100 \}\) did not end/,
    ],
    [
      'one that counts as delivered what was not answered',
      (exporter) => {
        const { post } = exporter;
        exporter.post = async (lines) =>
          Promise.race([
            post(lines),
            new Promise<boolean>((resolve) => setTimeout(() => resolve(true), 10)),
          ]);
      },
      /while the destination hangs: 4 spans did not arrive, but dropped \+ failed \+ pending is 0/,
    ],
  ],
};

const createSubject = (): ExporterSubject => subjectOf(new QueueExporter());

describe('exporterContract', () => {
  const cases = exporterContract(createSubject);

  describe('passes an exporter that keeps every rule', () => {
    test.each(cases)('$name', async ({ run }) => run());
  });

  test('has for every rule an exporter that breaks it', () => {
    expect(Object.keys(BROKEN)).toEqual(cases.map(({ name }) => name));
  });

  describe.each(Object.entries(BROKEN))('%s', (rule, variants) => {
    test.each(variants)('finds %s', async (_, sabotage, complaint) => {
      const exporter = new QueueExporter();
      sabotage(exporter);
      await expect(caseOf(rule, () => subjectOf(exporter)).run()).rejects.toThrow(complaint);
    });
  });

  test('leaves out the rules about what the destination cannot do', () => {
    const kept = exporterContract(createSubject, { cannot: ['refuse', 'hang'] });
    const names = new Set(kept.map(({ name }) => name));

    expect(cases.map(({ name }) => name).filter((name) => !names.has(name))).toEqual([
      'survives a destination that refuses and recovers',
      'ends flush within its timeout when the destination hangs',
    ]);
  });

  test('fails, and does not pass unseen, where the subject lacks a hook', async () => {
    const { hang: _, ...subject } = subjectOf(new QueueExporter());

    await expect(
      caseOf('ends flush within its timeout when the destination hangs', () => subject).run(),
    ).rejects.toThrow('the subject has no hang()');
  });

  test.each([
    ['survives a destination that refuses and recovers', 'refuse'],
    ['ends flush within its timeout when the destination hangs', 'hang'],
  ])('fails where a hook of the subject does nothing: %s', async (rule, hook) => {
    const subject = { ...subjectOf(new QueueExporter()), [hook]: () => {} };

    await expect(caseOf(rule, () => subject).run()).rejects.toThrow(
      `the subject's ${hook}() has no effect`,
    );
  });

  test('fails on what is no exporter', async () => {
    const exporter = { exportEvent() {} } as unknown as TraceExporter;
    const subject = { exporter, arrivedSpanIds: () => [] };

    await expect(caseOf('works detached', () => subject).run()).rejects.toThrow(
      'the subject is no TraceExporter',
    );
  });

  test('disposes of the subject after a case, passed or failed', async () => {
    const disposed: string[] = [];
    const subject = (name: string, post?: QueueExporter['post']) => (): ExporterSubject => {
      const exporter = new QueueExporter();
      if (post !== undefined) exporter.post = post;
      return { ...subjectOf(exporter), dispose: () => void disposed.push(name) };
    };
    const passed = caseOf('works detached', subject('passed'));
    const failed = caseOf(
      'works detached',
      subject('failed', async () => false),
    );

    await passed.run();
    await expect(failed.run()).rejects.toThrow('pending 8');

    expect(disposed).toEqual(['passed', 'failed']);
  });
});

function caseOf(rule: string, create: () => ExporterSubject): { run(): Promise<void> } {
  const found = exporterContract(create).find(({ name }) => name === rule);
  if (found === undefined) throw new Error(`no rule is called "${rule}"`);
  return found;
}

function beforeExport(exporter: QueueExporter, action: (event: TraceEvent) => unknown): void {
  const { exportEvent } = exporter;
  exporter.exportEvent = (event) => {
    action(event);
    exportEvent(event);
  };
}

function afterExport(exporter: QueueExporter, action: () => unknown): void {
  const { exportEvent } = exporter;
  exporter.exportEvent = (event) => {
    exportEvent(event);
    action();
  };
}
