import type { Socket } from 'node:net';
import type { HostClock } from '../host/host.ts';
import type { Address } from '../policy/address.ts';
import type { TrustStore } from './trust.ts';

/** What the proxy needs of the machine around it. */
export interface Surroundings {
  readonly clock: HostClock;
  /** Asks the resolver of this machine for a name, once. Rejects with what getaddrinfo(3) says. */
  lookup(name: string): Promise<readonly Address[]>;
  /** Begins to connect to exactly this address. */
  connect(address: Address, port: number): Socket;
  /** Whom APIs behind gateways may have their certificates from. */
  readonly trust: TrustStore;
  /** The addresses of this machine's interfaces. */
  ownAddresses(): readonly Address[];
  /** Told of failures that are bugs: the connection they happened on is gone, others go on. */
  onBug(error: unknown): void;
  /** Told once when an audit cannot be written any more; until it can, every request of its agent is refused. */
  onOutage?(error: Error): void;
}
