import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

/** Collects garbage until something is seen, or for 100 rounds. */
export async function collectGarbage(until: () => boolean): Promise<void> {
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc') as () => void;
  for (let round = 0; round < 100 && !until(); round++) {
    collect();
    await new Promise((resolve) => setImmediate(resolve));
  }
}
