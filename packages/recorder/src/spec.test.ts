// The folder spec/ of the repository: recordings are owned by no language, and held to by both.
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { readTraceEvents } from '@pyagent-trace/core/read';
import { describe, expect, test } from 'vitest';
import { encodeEntry } from './entry-of.ts';
import type { RecordEntry } from './record-entry.ts';
import { Recorder } from './recorder.ts';

const FIXTURES = fileURLToPath(new URL('../../../spec/fixtures', import.meta.url));
const RECORDING = join(FIXTURES, 'typescript-recording.jsonl');

const hasPython = spawnSync('python3', ['--version']).status === 0;

function lines(): string[] {
  return readFileSync(RECORDING, 'utf8').trimEnd().split('\n');
}

describe('spec/fixtures', () => {
  test('typescript-recording.jsonl is what Recorder writes of typescript-events.jsonl', async () => {
    const recorder = new Recorder();
    for await (const event of readTraceEvents(join(FIXTURES, 'typescript-events.jsonl')))
      recorder.exportEvent(event);
    await recorder.shutdown();

    const text = recorder.entries.map((entry) => `${encodeEntry(entry)}\n`).join('');
    await expect(text).toMatchFileSnapshot(RECORDING);
  });

  test('typescript-recording.jsonl reads back without a loss', async () => {
    const entries = await Recorder.load(RECORDING);

    expect(entries.map(encodeEntry)).toEqual(lines());
  });

  test.skipIf(!hasPython)(
    'typescript-recording.jsonl is the same data in Python (skipped without python3)',
    () => {
      const program = [
        'import json, sys',
        'from dataclasses import asdict, dataclass',
        '@dataclass',
        'class RecordEntry:',
        '    timestamp: float',
        '    event_type: str',
        '    agent_name: str',
        '    messages_in: list',
        '    response: str',
        '    metadata: dict',
        'for line in open(sys.argv[1], encoding="utf-8"):',
        '    print(json.dumps(asdict(RecordEntry(**json.loads(line.strip())))))',
      ].join('\n');

      const { stdout, stderr } = spawnSync('python3', ['-c', program, RECORDING], {
        encoding: 'utf8',
      });

      expect(stderr).toBe('');
      const entries = stdout
        .trimEnd()
        .split('\n')
        .map((line) => JSON.parse(line) as RecordEntry);
      expect(entries.map(encodeEntry)).toEqual(lines());
    },
  );
});
