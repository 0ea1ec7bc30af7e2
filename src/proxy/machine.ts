import { linuxClock } from '../host/clock.ts';
import { connectSocket } from './dial.ts';
import { ownAddressReader } from './own-addresses.ts';
import { lookupName } from './resolve.ts';
import type { Surroundings } from './surroundings.ts';
import { hostTrust } from './trust.ts';

/**
 * This machine, with its clock, resolver, network, interfaces and trust; `told` hears what goes wrong. `certificateFile`
 * is the value of SSL_CERT_FILE, or null.
 */
export function thisMachine(
  told: Pick<Surroundings, 'onBug' | 'onOutage'>,
  certificateFile: string | null,
): Surroundings {
  const clock = linuxClock();
  const ownAddresses = ownAddressReader(clock);
  return {
    clock,
    lookup: lookupName,
    connect: connectSocket,
    trust: hostTrust(certificateFile),
    ownAddresses,
    ...told,
  };
}
