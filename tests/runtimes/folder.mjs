import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** A feature that works in an empty folder, which is gone after it. */
export const inFolder = (fn) => async () => {
  const folder = mkdtempSync(join(tmpdir(), 'probe-'));
  try {
    return await fn(folder);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
};
