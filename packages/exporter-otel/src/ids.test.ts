import { describe, expect, test } from 'vitest';
import { remoteSpanContext, toSpanId, toTraceId } from './ids.ts';

const TRACE = '0af7651916cd43dd8448eb211c80319c';
const SPAN = '00f067aa0ba902b7';

describe('toTraceId', () => {
  test.each([
    ['a W3C id', TRACE, TRACE],
    ['one in capitals', TRACE.toUpperCase(), TRACE],
    ['a UUID', '0af76519-16cd-43dd-8448-eb211c80319c', TRACE],
    // printf run-1 | sha256sum
    ['any other', 'run-1', '4e65d3fbe8ad6535681b021b30785b12'],
    // printf %032d 0 | sha256sum
    ['all zeros', '0'.repeat(32), '84e0c0eafaa95a34c293f278ac52e45c'],
  ])('%s', (_, given, expected) => {
    expect(toTraceId(given)).toBe(expected);
  });
});

describe('toSpanId', () => {
  test('keeps a W3C id, and makes one of any other and its trace', () => {
    expect(toSpanId('t', SPAN.toUpperCase())).toBe(SPAN);
    expect(toSpanId('t', '1')).toMatch(/^[\da-f]{16}$/);
    expect(toSpanId('t', '1')).toBe(toSpanId('t', '1'));
    expect(toSpanId('t', '1')).not.toBe(toSpanId('u', '1'));
    expect(toSpanId('t', '0'.repeat(16))).not.toBe('0'.repeat(16));
  });
});

describe('remoteSpanContext', () => {
  test.each([
    ['sampled', `00-${TRACE}-${SPAN}-01`, 1],
    ['not sampled', `00-${TRACE}-${SPAN}-00`, 0],
    ['with flags that are not known', `00-${TRACE}-${SPAN}-fe`, 0],
    ['of a later version', `01-${TRACE}-${SPAN}-01-more`, 1],
    ['with space around it', ` 00-${TRACE}-${SPAN}-01\n`, 1],
  ])('a header %s', (_, header, traceFlags) => {
    expect(remoteSpanContext(header)).toEqual({
      traceId: TRACE,
      spanId: SPAN,
      traceFlags,
      isRemote: true,
    });
  });

  test.each([
    'x',
    `ff-${TRACE}-${SPAN}-01`,
    `00-${TRACE}-${SPAN}-01-more`,
    `00-${'0'.repeat(32)}-${SPAN}-01`,
    `00-${TRACE}-${'0'.repeat(16)}-01`,
    `00-${TRACE.toUpperCase()}-${SPAN}-01`,
  ])('%s is none', (header) => {
    expect(remoteSpanContext(header)).toBeUndefined();
  });
});
