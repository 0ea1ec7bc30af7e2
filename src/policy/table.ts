import type { CredentialField, ProviderName } from './provider.ts';

/**
 * What the proxy knows of one agent: values that survive JSON, since they
 * travel over the control socket and rest in the daemon's record.
 */
export interface AgentTable {
  readonly id: string;
  /**
   * Begin of this life of the agent, milliseconds since the epoch, which tells it from earlier ones: what is used of a
   * budget counts within it. Absent until the table is handed over.
   */
  readonly since?: number;
  readonly policy: EgressPolicy;
  /** Upstream proxy that everything allowed is handed to, or null. */
  readonly upstream: UpstreamProxy | null;
  readonly caps: EgressCaps;
  /** Ways to APIs that need a credential; no two have the same mount, nor one that begins with another's and a slash. */
  readonly gateways: readonly Gateway[];
  readonly budget: Budget;
}

/** A way to one API, on which the proxy adds the credential that the agent does not have. */
export interface Gateway {
  readonly provider: ProviderName;
  /** How paths at the proxy begin that lead there, `/anthropic`; what follows, goes to `base`. */
  readonly mount: string;
  readonly base: GatewayBase;
  readonly field: CredentialField;
  /** For git the user name that goes with the token (RFC 7617); otherwise null. */
  readonly username: string | null;
  /** The credential; null when there is none, and in every plan and view. Never logged. */
  readonly key: string | null;
  /** What the agent holds in its place; null where it needs nothing of the kind. */
  readonly placeholder: string | null;
  /** Where it stands in the card: `/credentials/<n>`, or `/api_key_file` or `/api_provider` for the short form. */
  readonly pointer: string;
}

/** Where a gateway leads. */
export interface GatewayBase {
  readonly scheme: 'http' | 'https';
  /** Name in lower case, or an address without brackets. */
  readonly host: string;
  readonly port: number;
  /** Beginning of every path there: empty, or with a slash at its beginning and none at its end. */
  readonly path: string;
}

/** What may be used of models over the life of the agent; null for no cap. */
export interface Budget {
  readonly requests: number | null;
  readonly tokens: number | null;
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
  /** Where it is named; absent for the card. */
  readonly from?: 'config.json';
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
  /** One entry for each gateway, in the order of the table. */
  readonly gateways: readonly GatewayUsage[];
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

/** What was used of one gateway over the life of the agent. */
export interface GatewayUsage {
  readonly mount: string;
  readonly provider: ProviderName;
  /** Requests that were passed on. */
  readonly requests: number;
  /** Those of them that called a model, POSTs to anything but git: a budget counts them. */
  readonly modelCalls: number;
  readonly bytesSent: number;
  readonly bytesReceived: number;
  /** Tokens as the provider stated them; those of its caches count as read. */
  readonly inputTokens: number;
  readonly outputTokens: number;
  /** Tokens of calls whose answer stated none: a quarter of their bytes. */
  readonly estimatedTokens: number;
}
