import { describe, expect, test } from 'vitest';
import { DemoError } from './demo-error.ts';
import { readFlags, USAGE } from './flags.ts';

describe('readFlags', () => {
  const none = {
    help: false,
    live: false,
    otel: false,
    conversations: false,
    path: undefined,
    budget: undefined,
    record: undefined,
    replay: undefined,
  };

  test.for([
    { args: [], flags: none },
    { args: ['--', '--live'], flags: { ...none, live: true } },
    { args: ['--otel', '--live'], flags: { ...none, live: true, otel: true } },
    { args: ['-h'], flags: { ...none, help: true } },
    { args: ['--budget', '0.01', '--live'], flags: { ...none, live: true, budget: 0.01 } },
    { args: ['--record', 'run.jsonl'], flags: { ...none, record: 'run.jsonl' } },
    { args: ['--replay', 'run.jsonl'], flags: { ...none, replay: 'run.jsonl' } },
    { args: ['--conversations'], flags: { ...none, conversations: true } },
    { args: ['--conversations', 'a'], flags: { ...none, conversations: true, path: 'a' } },
  ])('reads $args', ({ args, flags }) => {
    expect(readFlags(args)).toEqual(flags);
  });

  test.for([
    { args: ['--lvie'], problem: "Unknown option '--lvie'" },
    { args: ['--live=yes'], problem: "Option '--live' does not take an argument" },
    { args: ['a.jsonl'], problem: "Unexpected argument 'a.jsonl'" },
    { args: ['--conversations', 'a', 'b'], problem: "Unexpected argument 'b'" },
    { args: ['--budget'], problem: "Option '--budget <value>' argument missing" },
    {
      args: ['--budget', '1e999'],
      problem: "--budget: expected US dollars such as 0.01, got '1e999'",
    },
    {
      args: ['--budget=1', '--conversations'],
      problem: '--budget and --conversations exclude each other',
    },
    {
      args: ['--live', '--conversations'],
      problem: '--live and --conversations exclude each other',
    },
    {
      args: ['--record', 'a', '--replay', 'a'],
      problem: '--record and --replay exclude each other',
    },
    {
      args: ['--replay', 'a', '--conversations'],
      problem: '--replay and --conversations exclude each other',
    },
    {
      args: ['--otel', '--conversations'],
      problem: '--otel and --conversations exclude each other',
    },
  ])('refuses $args and lists the flags', ({ args, problem }) => {
    expect(() => readFlags(args)).toThrow(new DemoError(`${problem}\n\n${USAGE}`));
  });
});
