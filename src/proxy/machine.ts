import { linuxClock } from '../host/clock.ts';
import { connectSocket } from './dial.ts';
import { ownAddressReader } from './own-addresses.ts';
import { lookupName } from './resolve.ts';
import type { Surroundings } from './surroundings.ts';

/** This machine, with its clock, resolver, network and interfaces; `told` hears what goes wrong. */
export function thisMachine(told: Pick<Surroundings, 'onBug' | 'onOutage'>): Surroundings {
  const clock = linuxClock();
  return { clock, lookup: lookupName, connect: connectSocket, ownAddresses: ownAddressReader(clock), ...told };
}
