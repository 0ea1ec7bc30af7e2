/** Where to connect to a proxy, or null for the origin itself. */
export type Via = { readonly path: string } | { readonly port: number } | null;

/** Ports of the origin on 127.0.0.1. */
export interface OriginPorts {
  /** Answers every request with the same few bytes. */
  readonly http: number;
  /** Sends as fast as it can after an `x`, and one byte after an `i`. */
  readonly bytes: number;
}

/** One thing to measure. */
export type Load =
  | { readonly part: 'tunnels'; readonly count: number }
  | { readonly part: 'requests'; readonly connections: number }
  | { readonly part: 'latency'; readonly requests: number }
  /** Opens tunnels, says so, and keeps them until its standard input ends. */
  | { readonly part: 'idle'; readonly count: number };

/** What this program is started with, as JSON. */
export interface LoadOrder {
  /** Connections are spread over these. */
  readonly vias: readonly Via[];
  readonly origin: OriginPorts;
  /** Whether the proxy takes another request on the same connection. */
  readonly keepsAlive: boolean;
  readonly load: Load;
}

/** What it prints, as JSON. */
export interface LoadResult {
  /** Bytes or requests per second, or the median of the latency in milliseconds. */
  readonly value: number;
  /** 99th percentile of the latency, milliseconds. */
  readonly p99?: number;
  /** Bytes or requests that went through altogether, for the CPU time of the whole. */
  readonly total: number;
}
