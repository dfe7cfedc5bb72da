const HEX: readonly string[] = Array.from({ length: 256 }, (_, byte) =>
  byte.toString(16).padStart(2, '0'),
);

// One call for random bytes costs more than an id does, so they are drawn in bulk.
const pool = new Uint8Array(4096);
let used = pool.length;

function randomHex(bytes: number): string {
  if (used + bytes > pool.length) {
    crypto.getRandomValues(pool);
    used = 0;
  }
  let hex = '';
  let any = 0;
  for (const end = used + bytes; used < end; used++) {
    const byte = pool[used] as number;
    any |= byte;
    hex += HEX[byte] as string;
  }
  return any === 0 ? randomHex(bytes) : hex; // W3C: all zeros means "no id"
}

/** 32 lower-case hex digits: a W3C trace id. */
export function newTraceId(): string {
  return randomHex(16);
}

/** 16 lower-case hex digits: a W3C span id. */
export function newSpanId(): string {
  return randomHex(8);
}
