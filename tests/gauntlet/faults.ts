import { destinationFaults } from './faults/destination-faults.ts';
import { eventFaults } from './faults/event-faults.ts';
import type { Fault } from './faults/fault.ts';
import { processFaults } from './faults/process-faults.ts';

/** Every fault, by what it happens to. */
export const faults: Readonly<Record<string, readonly Fault[]>> = {
  'the destination': destinationFaults,
  'the process': processFaults,
  'the events': eventFaults,
};
