import { isObject, type TracePayload } from '../event.ts';
import { isPlainData, toPlainData } from '../plain.ts';

/** The payload as the data it is written as: itself, when that is what it is. Never throws. */
export function plainPayload(payload: unknown): TracePayload {
  try {
    if (isPlainData(payload) && isObject(payload)) return payload;
  } catch {
    // a getter or a proxy
  }
  const data = toPlainData(payload);
  return isObject(data) ? data : { value: data };
}
