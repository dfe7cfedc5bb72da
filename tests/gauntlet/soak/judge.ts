import type { SubjectName } from '../scenario.ts';
import { SPANS_PER_CONVERSATION, SUBJECTS } from '../scenario.ts';
import { memoryOf } from './memory.ts';
import { CALL_USD, EVENTS_PER_CONVERSATION } from './plan.ts';
import type { Soak } from './soak.ts';

const COUNTS_LINES: ReadonlySet<SubjectName> = new Set(['console', 'jsonl']);

/** What is wrong: nothing may be lost, and what the destinations count is what the exporters say. */
export function* problemsOf(result: Soak): Generator<string> {
  const { report, arrived, twice, leaked, code, stderr } = result;
  const { conversations, exporters, bus, cost, redacted, samples, seconds } = report;
  if (code !== 0) yield `the program ended with ${code}`;
  if (stderr !== '') yield `the program said ${stderr.slice(0, 500)}`;
  for (const [name, { given, broken, stats }] of Object.entries(exporters)) {
    yield* broken.map((moment) => `${name}: ${moment}`);
    const { accepted, dropped, delivered, failed, pending, error } = stats;
    if (accepted + dropped !== given || delivered + failed + pending !== accepted)
      yield `${name}: the counts do not add up`;
    if (delivered !== given)
      yield `${name}: of ${given}, ${delivered} were delivered, ${failed} failed, ${dropped} dropped: ${error}`;
  }
  for (const name of SUBJECTS) {
    const { delivered } = exporters[name].stats;
    const wanted = COUNTS_LINES.has(name)
      ? delivered
      : (delivered / EVENTS_PER_CONVERSATION) * SPANS_PER_CONVERSATION;
    // where something was lost its spans are of two events or three
    const isRight = Number.isInteger(wanted)
      ? arrived[name] === wanted
      : arrived[name] > delivered / 3 && arrived[name] < delivered / 2;
    if (!isRight) yield `${name}: ${arrived[name]} have arrived, not ${wanted}`;
  }
  const emitted = conversations * EVENTS_PER_CONVERSATION;
  if (bus.emitted !== emitted || bus.accepted !== emitted || bus.errors > 0)
    yield `the bus counts ${JSON.stringify(bus)}, not ${emitted}`;
  if (twice > 0) yield `${twice} spans came twice`;
  if (leaked > 0) yield `the secret arrived in ${leaked} requests`;
  if (redacted !== conversations) yield `${redacted} events were redacted, not ${conversations}`;
  if (cost.entries !== conversations) yield `${cost.entries} calls have a cost`;
  if (Math.abs(cost.usd / (conversations * CALL_USD) - 1) > 1e-9) yield `they cost ${cost.usd} USD`;
  yield* memoryOf(samples, seconds).problems;
}
