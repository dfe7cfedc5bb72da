// Results as Markdown, for people.
import { faults } from './faults.ts';
import type { Fault } from './faults/fault.ts';
import type { Fuzzed } from './fuzz.ts';
import { type Cell, problemsOf, type Round } from './matrix.ts';
import { SUBJECTS } from './scenario.ts';
import { problemsOf as problemsOfSoak } from './soak/judge.ts';
import { inMb, MEMORY_RULE, memoryOf, type Trend } from './soak/memory.ts';
import { EVENTS_PER_CONVERSATION } from './soak/plan.ts';
import type { Soak } from './soak/soak.ts';
import { type Subject, subjects } from './subjects.ts';

export type Results = ReadonlyMap<Fault, ReadonlyMap<Subject, Cell>>;

/** The one table: a row for each fault, a column for each exporter. */
export function tableOf(results: Results): string {
  const notes: string[] = [];
  const noteOf = (reason: string): string => {
    if (!notes.includes(reason)) notes.push(reason);
    return `[${notes.indexOf(reason) + 1}]`;
  };
  const rows: string[] = [];
  for (const [place, list] of Object.entries(faults)) {
    rows.push(`| **${place}** |${' |'.repeat(subjects.length + 1)}`);
    for (const fault of list) {
      const row = results.get(fault);
      const cells = subjects.map((subject) => textOf(row?.get(subject), noteOf));
      rows.push(`| ${fault.name} | ${cells.join(' | ')} | ${standStill(row)} |`);
    }
  }
  const titles = subjects.map(({ title }) => title).join(' | ');
  return [
    `| fault | ${titles} | event loop, ms |`,
    `| --- |${' --- |'.repeat(subjects.length + 1)}`,
    ...rows,
    '',
    ...notes.map((reason, index) => `[${index + 1}] ${reason}\n`),
    ...[...results].flatMap(([fault, cells]) =>
      [...cells].flatMap(([subject, cell]) =>
        problemsOf(cell).map((problem) => `- **${subject.title}, ${fault.name}**: ${problem}`),
      ),
    ),
  ].join('\n');
}

function textOf(cell: Cell | undefined, noteOf: (reason: string) => string): string {
  if (cell === undefined) return '';
  if (cell.kind === 'none') return `– ${noteOf(cell.reason)}`;
  if (cell.kind === 'not run') return `not run ${noteOf(cell.reason)}`;
  const { rounds } = cell;
  const counted = rounds.every(({ counts }) => counts.length === 0) ? '✓' : '**counts ✗**';
  const unharmed = rounds.every(({ app }) => app.length === 0) ? '✓' : '**app ✗**';
  return `${countsOf(rounds)} ${counted} ${unharmed}`;
}

function countsOf(rounds: readonly Round[]): string {
  const [first] = rounds;
  const arrived = sum(rounds, ({ seen }) => seen.arrived.events);
  const acknowledged = sum(rounds, ({ seen }) => seen.acknowledged ?? 0);
  if (acknowledged > 0) return `${acknowledged} → ${arrived}`;
  const stats = first?.seen.report?.stats;
  if (stats === undefined) return `${first?.seen.given ?? 0} → ${arrived}`;
  const { delivered, failed, dropped, pending } = stats;
  const text = `${delivered} / ${failed} / ${dropped}`;
  const waiting = pending > 0 ? `, ${pending} pending` : '';
  return arrived === delivered ? text + waiting : `${text}${waiting} → ${arrived}`;
}

/** The longest time in any program with an exporter, and without one. */
function standStill(cells: ReadonlyMap<Subject, Cell> | undefined): string {
  const rounds = [...(cells?.values() ?? [])].flatMap((cell) =>
    cell.kind === 'run' ? cell.rounds : [],
  );
  const longest = (of: 'seen' | 'control'): number =>
    Math.max(...rounds.map((round) => round[of].report?.blockedMs ?? -1));
  return longest('seen') < 0 ? '' : `${longest('seen')} (${longest('control')})`;
}

function sum<T>(items: readonly T[], amount: (item: T) => number): number {
  return items.reduce((total, item) => total + amount(item), 0);
}

export function fuzzText(results: readonly Fuzzed[]): string {
  return [
    '| reader | lines | seed | time | result |',
    '| --- | --- | --- | --- | --- |',
    ...results.map(
      ({ reader, lines, seed, seconds, problems }) =>
        `| \`${reader}\` | ${lines.toLocaleString('en')} | ${seed} | ${seconds.toFixed(0)} s | ${problems.length === 0 ? '✓' : '**✗**'} |`,
    ),
    '',
  ].join('\n');
}

export function soakText(result: Soak): string {
  const { report, arrived } = result;
  const { seconds, conversations, exporters, samples, cpuSeconds, blockedMs } = report;
  const emitted = conversations * EVENTS_PER_CONVERSATION;
  const memory = memoryOf(samples, seconds);
  const problems = [...problemsOfSoak(result)];
  return [
    `${whole(emitted)} events in ${whole(seconds)} s: ${whole(emitted / seconds)} per second, ${whole(result.plan.eventsPerSecond)} planned. ` +
      `${whole(cpuSeconds)} s of processor time; the event loop stood still for ${blockedMs} ms at most.`,
    '',
    '| exporter | given | delivered | failed | dropped | arrived |',
    '| --- | --- | --- | --- | --- | --- |',
    ...Object.entries(exporters).map(([name, { given, stats }]) => {
      const { delivered, failed, dropped } = stats;
      const there = SUBJECTS.find((subject) => subject === name);
      const kind = name === 'console' || name === 'jsonl' ? 'lines' : 'spans';
      const atDestination = there === undefined ? '' : `${whole(arrived[there])} ${kind}`;
      return `| ${name} | ${[given, delivered, failed, dropped].map(whole).join(' | ')} | ${atDestination} |`;
    }),
    '',
    `| memory, ${memory.samples} samples | first | last | slope | over the run |`,
    '| --- | --- | --- | --- | --- |',
    trendRow('heap', memory.heap),
    trendRow('resident', memory.rss),
    '',
    `Flat means: ${MEMORY_RULE}.`,
    '',
    problems.length === 0
      ? `Nothing was lost, and every count agrees.${memory.isJudged ? ' Memory was flat.' : ''}`
      : problems.map((problem) => `- **${problem}**`).join('\n'),
    '',
  ].join('\n');
}

function trendRow(name: string, trend: Trend): string {
  const { firstBytes, lastBytes, bytesPerHour, growthBytes } = trend;
  return `| ${name} | ${inMb(firstBytes)} | ${inMb(lastBytes)} | ${inMb(bytesPerHour)} per hour | ${inMb(growthBytes)} |`;
}

function whole(value: number): string {
  return Math.round(value).toLocaleString('en');
}
