// Every exporter at once, for long: the program runs in a process of its own, what arrives is counted here.
import { spawn } from 'node:child_process';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { text } from 'node:stream/consumers';
import { setTimeout } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { lineFeedsIn } from '../destinations/file.ts';
import { PipeDestination } from '../destinations/pipe.ts';
import { OTLP_PATH, ServerDestination } from '../destinations/server.ts';
import type { SubjectName } from '../scenario.ts';
import { SECRET, type SoakPlan, type SoakReport } from './plan.ts';

const PROGRAM = fileURLToPath(new URL('app.fixture.ts', import.meta.url));
const COLLECT_INTERVAL_MS = 2_000;

export interface Soak {
  readonly plan: SoakPlan;
  readonly report: SoakReport;
  /** Lines of the console and of the files; spans of the others. */
  readonly arrived: Readonly<Record<SubjectName, number>>;
  /** Spans that came a second time, and requests with the secret in them. */
  readonly twice: number;
  readonly leaked: number;
  readonly code: number | null;
  readonly stderr: string;
}

export async function soak(seconds: number, eventsPerSecond: number): Promise<Soak> {
  const folder = mkdtempSync(join(tmpdir(), 'soak-'));
  await using terminal = new PipeDestination();
  const options = { forget: true, secret: SECRET };
  await using otel = await ServerDestination.start(OTLP_PATH, options);
  await using langfuse = await ServerDestination.start('', options);
  await using langfusePackage = await ServerDestination.start('', options);
  try {
    const plan: SoakPlan = {
      seconds,
      eventsPerSecond,
      sampleEveryMs: Math.min(10_000, seconds * 100),
      file: join(folder, 'run.jsonl'),
      otelUrl: otel.address,
      langfuseUrl: langfuse.address,
      langfusePackageUrl: langfusePackage.address,
    };
    const flags = ['--expose-gc', '--conditions=@pyagent-trace/source'];
    const child = spawn(process.execPath, [...flags, PROGRAM, JSON.stringify(plan)], {
      env: { ...process.env, VITEST: undefined, NODE_OPTIONS: '' },
      stdio: ['ignore', 'pipe', 'pipe', 'pipe'],
    });
    terminal.behave('well');
    terminal.connect(child);
    const stderr = text(child.stderr as Readable);
    const report = text(child.stdio[3] as Readable);
    const ended = new Promise<number | null>((resolve, reject) => {
      child.once('error', reject);
      child.once('close', resolve);
    });
    const lines = await collectFiles(folder, ended);
    return {
      plan,
      report: JSON.parse(await report) as SoakReport,
      arrived: {
        console: terminal.arrived().events,
        jsonl: lines,
        otel: otel.spans,
        'langfuse-otlp': langfuse.spans,
        'langfuse-package': langfusePackage.spans,
      },
      twice: otel.arrived().twice + langfuse.arrived().twice,
      leaked: otel.leaked + langfuse.leaked + langfusePackage.leaked,
      code: await ended,
      stderr: await stderr,
    };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Counts the lines of closed files and takes these away, as a log shipper does; at the end of all. */
async function collectFiles(folder: string, ended: Promise<unknown>): Promise<number> {
  let lines = 0;
  const collect = async (names: readonly string[]): Promise<void> => {
    for (const name of names) {
      lines += await lineFeedsIn(join(folder, name));
      await rm(join(folder, name));
    }
  };
  const end = ended.then(() => 'ended');
  while ((await Promise.race([setTimeout(COLLECT_INTERVAL_MS), end])) !== 'ended') {
    await collect(readdirSync(folder).filter((name) => name.startsWith('run-')));
  }
  await collect(readdirSync(folder));
  return lines;
}
