// The tool of the debate: invented figures, in the time a small service would take.
import { setTimeout as sleep } from 'node:timers/promises';

const FIGURES = {
  peak_price: { value: 0.31, unit: 'USD per kWh' },
  cell_price_trend: { value: -14, unit: '% per year' },
} as const;

export type Topic = keyof typeof FIGURES;

const LATENCY_MS = 200;

export async function lookUp(
  topic: Topic,
): Promise<{ readonly value: number; readonly unit: string }> {
  await sleep(LATENCY_MS);
  return FIGURES[topic];
}
