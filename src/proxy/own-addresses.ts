import { networkInterfaces } from 'node:os';
import { OWN_ADDRESSES_MS } from '../base/limits.ts';
import type { HostClock } from '../host/host.ts';
import { type Address, parseAddress } from '../policy/address.ts';

/** Asks the kernel for the addresses of this machine's interfaces, and remembers them for a moment. */
export function ownAddressReader(clock: HostClock): () => readonly Address[] {
  let addresses: readonly Address[] = [];
  let readAt = Number.NEGATIVE_INFINITY;
  return () => {
    const now = clock.now();
    // A clock that was set back must not keep old addresses alive.
    if (now < readAt || now - readAt >= OWN_ADDRESSES_MS) {
      addresses = readOwnAddresses();
      readAt = now;
    }
    return addresses;
  };
}

function readOwnAddresses(): readonly Address[] {
  return Object.values(networkInterfaces())
    .flatMap((entries) => entries ?? [])
    .map(({ address }) => parseAddress(address.replace(/%.*$/, '')))
    .filter((address) => address !== null);
}
