import type { Via } from './egress-order.ts';

/** Name of the API: its certificate is for it, and every resolver knows it. */
export const API_HOST = 'localhost';

/** What the API is asked for, below its base URL. */
export const API_PATHS = {
  /** Answers at once, with about as much as a short answer of a model is. */
  answer: '/v1/messages',
  /** Sends an event that tells the time, another one later, and ends. */
  events: '/v1/messages?events',
  /** Sends {@link ANSWER_BYTES}. */
  bytes: '/v1/messages?bytes',
  /** Sends one event and no more. */
  still: '/v1/messages?still',
} as const;

/** Size of a large answer. */
export const ANSWER_BYTES = 100 * 1024 * 1024;

/** One thing to measure. */
export type GatewayLoad =
  | { readonly part: 'latency'; readonly requests: number }
  | { readonly part: 'events'; readonly streams: number }
  | { readonly part: 'requests'; readonly connections: number }
  | { readonly part: 'answer' }
  /** Opens streams, says so, and keeps them until its standard input ends. */
  | { readonly part: 'still'; readonly count: number };

/** What the client is started with, as JSON. */
export interface GatewayOrder {
  /** Where the gateway is, or null for the API itself. */
  readonly via: Via;
  /** Of the API, on every address of this machine. */
  readonly port: number;
  /** Path of the certificate that the API shows. */
  readonly certificate: string;
  readonly load: GatewayLoad;
}
