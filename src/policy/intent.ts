import type { Address } from './address.ts';

/** Where a request wants to go: a plain name, lower case and without the final dot, or an address. */
export type Destination =
  | { readonly kind: 'name'; readonly name: string }
  | { readonly kind: 'address'; readonly address: Address };

/**
 * One request of an agent, whatever form it came in. `tunnel` is CONNECT;
 * `http` is a request whose method and path are visible (absolute form, or
 * HTTP inside a tunnel); `gateway` is one to the proxy itself that goes on to
 * an API with a credential, and method and path are those at the API.
 */
export interface EgressIntent {
  readonly form: 'tunnel' | 'http' | 'gateway';
  readonly destination: Destination;
  readonly port: number;
  /** HTTP method in capitals; `CONNECT` for a tunnel. */
  readonly method: string;
  /** Path without query, percent-encoding and dot segments normalised; null for a tunnel. */
  readonly path: string | null;
  /** Mount of the gateway; only and always with the form `gateway`. */
  readonly mount?: string;
}

/** The destination as text: a name, an IPv4 literal, or an IPv6 literal without brackets. */
export function destinationText(destination: Destination): string {
  return destination.kind === 'name' ? destination.name : destination.address.text;
}
