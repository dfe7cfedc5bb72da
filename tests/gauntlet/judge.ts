// What has to hold in a cell, whatever the fault.
import type { Observation } from './cell.ts';
import type { Expected, Fault } from './faults/fault.ts';
import { answerOf, type AppReport, type End, EVENTS_PER_CONVERSATION } from './scenario.ts';
import type { Subject } from './subjects.ts';

const MAY_BLOCK_MS = 1_000;
/** What exporters may say on stderr, and nothing else may: there is a receipt for the rest. */
const OWN_WORDS = /^(?:LangfuseExporter|JsonlExporter): .*\n/gm;

export interface Verdict {
  /** What is wrong with the counts. */
  readonly counts: readonly string[];
  /** What harm the app has come to. */
  readonly app: readonly string[];
}

/** @param control the same program under the same fault without an exporter */
export function judge(
  subject: Subject,
  fault: Fault,
  seen: Observation,
  control: Observation,
): Verdict {
  const expected = fault.expected[subject.name] ?? fault.expected.others;
  return {
    counts: [...countProblems(subject, fault, seen, expected)],
    app: [...appProblems(fault, seen, control, expected)],
  };
}

function* countProblems(
  subject: Subject,
  fault: Fault,
  { scenario: { end }, report, acknowledged, given, arrived }: Observation,
  expected: Expected,
): Generator<string> {
  if (subject.name === 'langfuse-otlp' && arrived.twice > 0)
    yield `${arrived.twice} events were stored twice`;
  if (expected === 'acknowledged') {
    if (acknowledged === undefined) yield 'nothing was acknowledged';
    else if (arrived.events < acknowledged)
      yield `${acknowledged} were acknowledged, ${arrived.events} have arrived`;
    return;
  }
  if (expected === 'all, unsaid') {
    if (given === undefined || arrived.events !== given)
      yield `${given} were given, ${arrived.events} have arrived`;
    return;
  }
  if (report?.stats === undefined) {
    yield 'the program said nothing at its end';
    return;
  }
  yield* report.broken;
  const { stats, late } = report;
  const { delivered, dropped, pending } = stats;
  if (report.given < EVENTS_PER_CONVERSATION) yield `only ${report.given} events were given`;
  const isShutDown = end === 'shutdown' || end === '100 shutdowns';
  if (isShutDown && pending > 0) yield `${pending} are pending after shutdown`;
  if (expected === 'all') {
    if (delivered !== report.given - late) yield `${delivered} of ${report.given} were delivered`;
    if (dropped !== late) yield `${dropped} were dropped, ${late} came after shutdown`;
  }
  if (expected === 'nothing' && subject.delivers === 'to the destination' && delivered > 0)
    yield `${delivered} are said to have been delivered`;
  if (expected === 'nothing' && arrived.events > 0) yield `${arrived.events} have arrived`;
  yield* arrivalProblems(subject, fault, { report, arrived: arrived.events, end }, expected);
}

interface Arrival {
  readonly report: AppReport;
  readonly arrived: number;
  readonly end: End;
}

/** Whether the destination has what the counts say. */
function* arrivalProblems(
  subject: Subject,
  { hasOddEvents = false }: Fault,
  { report: { stats, told }, arrived, end }: Arrival,
  expected: Expected,
): Generator<string> {
  const { delivered = 0, pending = 0, unconfirmed = 0, error } = stats ?? {};
  if (hasOddEvents && !subject.countsLines) {
    if (arrived === 0) yield 'nothing has arrived';
    return;
  }
  const most = delivered + unconfirmed + pending;
  if (arrived > most) yield `${arrived} have arrived, at most ${most} could`;
  if (arrived >= delivered) return;
  const missing = `${delivered} are said to have been delivered, ${arrived} have arrived`;
  if (expected === 'all') yield missing;
  else if (subject.delivers === 'to its SDK') {
    const couldBeTold = end === 'shutdown' || end === '100 shutdowns';
    if (couldBeTold && told === 0 && error === undefined) yield `${missing}, and nobody was told`;
  } else if (subject.name !== 'console') yield missing; // what waits in a pipe was delivered to it
}

function* appProblems(
  { mayBlockMs = MAY_BLOCK_MS }: Fault,
  seen: Observation,
  control: Observation,
  expected: Expected,
): Generator<string> {
  const { scenario, report, code, signal } = seen;
  if (seen.hung) yield 'it did not end';
  else if (code !== control.code || signal !== control.signal)
    yield `it ended with ${code ?? signal}, without an exporter with ${control.code ?? control.signal}`;
  if (seen.stdout !== '') yield `it printed ${JSON.stringify(seen.stdout.slice(0, 200))}`;
  if (scenario.end !== 'out of memory') {
    // V8 prints addresses there
    const words = seen.stderr.replaceAll(OWN_WORDS, '');
    if (withoutStack(words) !== withoutStack(control.stderr))
      yield `it said ${JSON.stringify(words.slice(0, 500))}`;
  }
  if (report !== undefined) {
    const right = resultOf(scenario.conversations);
    if (report.result !== right) yield `its own work came to ${report.result}, not ${right}`;
    if (report.blockedMs > mayBlockMs)
      yield `its event loop stood still for ${report.blockedMs} ms`;
  } else if (expected !== 'acknowledged' && expected !== 'all, unsaid') yield 'it had no result';
}

/** What of Node's own functions a stack shows depends on the turn that an error came in. */
function withoutStack(text: string): string {
  return text.replaceAll(/^ +at .*\n/gm, '');
}

function resultOf(conversations: number): number {
  let sum = 0;
  for (let number = 0; number < conversations; number++) sum += answerOf(number);
  return sum;
}
