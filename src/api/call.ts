import type { Caller, Operations } from '../control/operations.ts';

/** One request on its way through a route. */
export interface Call {
  readonly operations: Operations;
  readonly caller: Caller;
  /** The agent of the path; empty on paths that name none. */
  readonly id: string;
  readonly query: ReadonlyMap<string, string>;
  /** The body; empty where the route takes none. */
  readonly body: Uint8Array;
  /** Aborted when there is nobody to answer any more, or no daemon to do it. */
  readonly signal: AbortSignal;
  /** Whether the caller closed the connection before the answer was complete. */
  isCallerGone(): boolean;
}

/** What a route answers. */
export type Reply =
  | { readonly kind: 'json'; readonly status: 200 | 201; readonly value: unknown }
  | { readonly kind: 'empty' }
  | { readonly kind: 'events'; readonly events: AsyncIterable<unknown> };
