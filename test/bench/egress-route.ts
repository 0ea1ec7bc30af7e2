import type { Via } from './egress-order.ts';

/** One way from a client to the origin. */
export interface Route {
  /** Key in the results. */
  readonly name: string;
  /** One line for people. */
  readonly description: string;
  /** Connections are spread over these. */
  readonly vias: readonly Via[];
  /** The command that runs the client where the way begins. */
  readonly wrap: (argv: readonly string[]) => readonly string[];
  /** Processes whose CPU time and memory the way costs; asked anew each time. */
  readonly pids: () => Promise<readonly number[]>;
  /** Whether it takes another request on the same connection. */
  readonly keepsAlive: boolean;
  /** Whether it takes a thousand tunnels at once. */
  readonly takesMany: boolean;
  /** Ends what was started for it. */
  readonly close: () => Promise<void>;
}

/** Names of the routes that goals speak of. */
export const ROUTES = {
  direct: 'direct',
  socket: 'egressd',
  relay: 'egressd, relay',
  tinyproxy: 'tinyproxy',
  squid: 'squid',
} as const;
