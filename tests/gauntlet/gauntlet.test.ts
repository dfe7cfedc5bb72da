// The short form; `pnpm gauntlet` is the long one. docs/reliability.md has its last result.
import { afterAll, describe, test } from 'vitest';
import { faults } from './faults.ts';
import { Matrix, omission, problemsOf, SHORT } from './matrix.ts';
import { subjects } from './subjects.ts';

const matrix = new Matrix(SHORT);

afterAll(() => matrix[Symbol.dispose]());

describe
  .skipIf(process.platform === 'win32')
  .concurrent(
    'an app that is traced counts every event and comes to no harm (skipped on Windows)',
    { timeout: 120_000 },
    () => {
      for (const [place, list] of Object.entries(faults))
        for (const fault of list)
          for (const subject of subjects) {
            const omitted = omission(subject, fault);
            if (omitted?.kind === 'none') continue;
            const lack = omitted === undefined ? '' : ` (skipped: ${omitted.reason})`;
            // a machine that lacks what the fault needs
            test.skipIf(omitted !== undefined)(
              `${subject.title}: ${place}: ${fault.name}${lack}`,
              async ({ expect }) => {
                expect(problemsOf(await matrix.run(subject, fault))).toEqual([]);
              },
            );
          }
    },
  );
