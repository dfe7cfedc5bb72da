// The exporter contract, as a runtime without a test runner runs it.
import { exporterContract } from '@pyagent-trace/core/testing';

/** The rules that a subject breaks, with what it did; none is what is hoped for. */
export async function brokenRules(createSubject, options) {
  const broken = [];
  for (const { name, run } of exporterContract(createSubject, options))
    await run().catch((error) => broken.push(`${name}: ${error.message}`));
  return broken;
}
