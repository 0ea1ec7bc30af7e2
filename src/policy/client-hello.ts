/** What the first bytes of a tunnel amount to. More bytes change only `incomplete`. */
export type HelloReading =
  | { readonly kind: 'incomplete' }
  | {
      readonly kind: 'hello';
      /** Name of the server, a plain host name in lower case, or null without one. */
      readonly serverName: string | null;
      /** Whether the real name may be another one, encrypted (RFC 9849); also true of clients that only pretend. */
      readonly encryptedClientHello: boolean;
    }
  | { readonly kind: 'not-tls' }
  | { readonly kind: 'bad'; readonly detail: string };

/** Reads the TLS ClientHello that the bytes start with. */
export function readClientHello(bytes: Uint8Array): HelloReading {
  return new HelloReader().add(bytes);
}

/** Reads a ClientHello from pieces as they come, in linear time. Whoever passes the bytes on keeps them. */
export class HelloReader {
  /** Takes further bytes; only while the last reading was `incomplete`. */
  add(_piece: Uint8Array): HelloReading {
    throw new Error('not yet');
  }
}
