/** An IP address in its one canonical form. */
export interface Address {
  readonly family: 4 | 6;
  /** 4 or 16 bytes, network order. */
  readonly bytes: readonly number[];
  /** Dotted decimal, or RFC 5952 without brackets and zone. */
  readonly text: string;
}
