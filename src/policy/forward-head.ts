import type { RequestHead } from './request-head.ts';

/** Names and values in turn, as node's `rawHeaders` has them and as `headers` of its `http.request` takes them. */
export type RawFields = readonly string[];

/** What a forwarded request is rebuilt from besides its head. */
export interface ForwardOptions {
  /** Value of the Host field. */
  readonly host: string;
  readonly upgrade: 'websocket' | null;
}

/**
 * Fields to send upstream: Host first and rebuilt, the framing of the body rebuilt, nothing that concerns the client's
 * connection to the proxy only, no Expect (the proxy answers it), no credentials for a proxy.
 */
export function requestFields(_head: RequestHead, _options: ForwardOptions): RawFields {
  throw new Error('not yet');
}

/** A request's head as bytes of characters below 256. */
export function renderRequestHead(
  _line: { readonly method: string; readonly target: string },
  _fields: RawFields,
): string {
  throw new Error('not yet');
}

/**
 * Fields of an upstream's answer that go to the client: without those of the connection, of proxies, and of framing
 * except Content-Length.
 */
export function responseFields(_raw: RawFields): RawFields {
  throw new Error('not yet');
}

/** The head of a response as characters below 256. */
export function renderResponseHead(_status: number, _phrase: string, _fields: RawFields): string {
  throw new Error('not yet');
}
