/**
 * What the proxy knows of one agent: values that survive JSON, since they
 * travel over the control socket and rest in the daemon's record.
 */
export interface AgentTable {
  readonly id: string;
  readonly policy: EgressPolicy;
  /** Upstream proxy that everything allowed is handed to, or null. */
  readonly upstream: UpstreamProxy | null;
  readonly caps: EgressCaps;
}

/** Rules of one agent, in the order of the card. Deny wins; no rule means refused. */
export interface EgressPolicy {
  readonly allow: readonly EgressRule[];
  readonly deny: readonly EgressRule[];
}

/** One rule as the card states it, not yet compiled. */
export interface EgressRule {
  /**
   * `name`, `*.name` (below the name, not the name itself), `*` (every name,
   * and every public address as long as no name is denied), an IP literal or a
   * CIDR range; without port. Names lead to public addresses, and to others
   * only where a further rule writes them out.
   */
  readonly host: string;
  /** TCP ports; never empty, the defaults are filled in already. In a deny rule null stands for every port. */
  readonly ports: readonly number[] | null;
  /** HTTP methods in capitals, or null for all. */
  readonly methods: readonly string[] | null;
  /** Path prefixes that end at a segment, or null for all. */
  readonly paths: readonly string[] | null;
  /** `tcp` lets a tunnel carry anything; the default `tls` wants TLS that names the host, or HTTP. */
  readonly protocol: 'tls' | 'tcp';
  /** Where it stands: an RFC 6901 pointer into the card, `/live/allow/<n>` or `/live/deny/<n>` for a change at run time, `/api_provider` for an implied one. */
  readonly pointer: string;
  /** The author's reason, shown where the rule decides. */
  readonly reason: string | null;
}

/** An HTTP proxy of the network around this machine. */
export interface UpstreamProxy {
  readonly scheme: 'http' | 'https';
  readonly host: string;
  readonly port: number;
  /** `user:password` for Basic authentication (RFC 7617), or null. Never logged. */
  readonly credentials: string | null;
}

/** Caps of one agent; null for none. */
export interface EgressCaps {
  /** Both directions together, over the life of the table. */
  readonly maxBytes: number | null;
  readonly requestsPerMinute: number | null;
}

/** What came of an agent's requests so far. */
export interface EgressSummary {
  readonly id: string;
  readonly allowed: number;
  readonly refused: number;
  readonly bytesSent: number;
  readonly bytesReceived: number;
  readonly openConnections: number;
  /** Most frequent refusals, most frequent first; bounded. */
  readonly topRefusals: readonly RefusalCount[];
  /** Head of the audit's hash chain. */
  readonly auditHead: { readonly sequence: number; readonly hash: string };
}

/** How often one host was refused for one reason. */
export interface RefusalCount {
  readonly host: string;
  readonly port: number;
  readonly reason: string;
  readonly count: number;
}
