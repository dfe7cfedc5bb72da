import { isTraceExporter } from '../exporter.ts';
import { activeResources } from './active-resources.ts';
import type { ExporterSubject } from './exporter-subject.ts';
import { assert, Probe } from './probe.ts';
import { RULES } from './rules.ts';

export interface ExporterContractOptions {
  /**
   * What the destination has no way to do; the rule about it is left out. Memory, for example, can
   * neither refuse nor hang.
   *
   * @default []
   */
  readonly cannot?: readonly ('refuse' | 'hang')[];
}

/** One rule, for any test runner. */
export interface ContractCase {
  readonly name: string;
  /** Rejects with an Error that says how the rule was broken. Takes up to 4 seconds. */
  readonly run: () => Promise<void>;
}

/**
 * The exporter contract as test cases. Each makes a subject of its own, gives it complete runs, and
 * checks the sums of `stats()` at every step. Needs real timers.
 *
 * The subject's own server must not keep the process alive, since one case looks for what does:
 * `server.unref()`, and `socket.unref()` on `connection`.
 *
 * @example
 * ```ts
 * describe('MyExporter', () => {
 *   for (const { name, run } of exporterContract(createSubject)) test(name, run);
 * });
 * ```
 */
export function exporterContract(
  createSubject: () => ExporterSubject | Promise<ExporterSubject>,
  { cannot = [] }: ExporterContractOptions = {},
): readonly ContractCase[] {
  return RULES.filter(
    ({ needs }) =>
      needs === undefined ||
      (needs === 'active resources' ? activeResources !== undefined : !cannot.includes(needs)),
  ).map(({ name, check }) => ({
    name,
    run: async () => {
      const probe = new Probe(await createSubject());
      try {
        assert(isTraceExporter(probe.subject.exporter), 'the subject is no TraceExporter');
        await check(probe);
      } finally {
        await probe.release();
      }
    },
  }));
}
