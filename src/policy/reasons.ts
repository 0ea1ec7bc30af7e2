/**
 * Every reason a request of an agent is allowed or refused for. Stable: it
 * stands in the audit, in the answer to the agent and in views. The sentence
 * is what people read; `status` is the HTTP status (RFC 9110) the agent gets.
 */
export const REASONS = {
  'egress.allowed': { status: 200, sentence: 'A rule of the card allows it.' },
  'egress.no-rule': { status: 403, sentence: 'No rule of the card names this host.' },
  'egress.denied-host': { status: 403, sentence: 'The card denies this host.' },
  'egress.port': { status: 403, sentence: 'The rule for this host does not name this port.' },
  'egress.method': { status: 403, sentence: 'The rule for this host does not name this method.' },
  'egress.path': { status: 403, sentence: 'The rule for this host does not name this path.' },
  'egress.method-hidden': { status: 403, sentence: 'The rule limits methods or paths, which a tunnel hides.' },
  'egress.address-unlisted': { status: 403, sentence: 'An address is reached only where the card writes it out.' },
  'egress.private-address': { status: 403, sentence: 'The host name leads to an address that is not public.' },
  'egress.own-address': { status: 403, sentence: 'The host name leads to this machine itself.' },
  'egress.metadata-address': { status: 403, sentence: 'The address belongs to a metadata service.' },
  'egress.host-name': { status: 400, sentence: 'This is not a plain host name.' },
  'egress.bad-request': { status: 400, sentence: 'The request is not well formed.' },
  'egress.head-too-large': { status: 431, sentence: 'The head of the request is too large.' },
  'egress.head-timeout': { status: 408, sentence: 'The head of the request did not arrive in time.' },
  'egress.method-refused': { status: 405, sentence: 'This method is never passed on.' },
  'egress.upgrade': { status: 403, sentence: 'Only an upgrade to websocket is passed on.' },
  'egress.host-mismatch': { status: 421, sentence: 'The request names another host inside than outside.' },
  'egress.server-name-mismatch': { status: 421, sentence: 'The TLS handshake names another host than the request.' },
  'egress.server-name-missing': { status: 403, sentence: 'The TLS handshake names no host.' },
  'egress.encrypted-client-hello': { status: 403, sentence: 'The TLS handshake hides the name of the host.' },
  'egress.not-tls': { status: 403, sentence: 'The tunnel carries neither TLS nor HTTP.' },
  'egress.tunnel-timeout': { status: 408, sentence: 'Nothing came through the tunnel in time.' },
  'egress.gateway-path': { status: 403, sentence: 'The gateway to this API does not pass this path or method on.' },
  'egress.placeholder': { status: 403, sentence: 'The placeholder of a key was on its way to a host it is not for.' },
  'egress.budget': { status: 429, sentence: 'The budget of the card for its model is spent.' },
  'egress.certificate': { status: 502, sentence: 'The host did not prove to be who is meant.' },
  'egress.redirect': { status: 502, sentence: 'The API redirects to another host.' },
  'egress.encoded-answer': { status: 502, sentence: 'The API encodes its answer in a way that cannot be looked into.' },
  'egress.no-gateway': { status: 404, sentence: 'There is nothing of this name at the proxy.' },
  'egress.rate': { status: 429, sentence: 'The card allows no more requests in this minute.' },
  'egress.bytes': { status: 429, sentence: 'The card allows no more bytes.' },
  'egress.connections': { status: 429, sentence: 'Too many connections are open at once.' },
  'egress.audit-unwritable': { status: 503, sentence: 'The audit cannot be written, so nothing is passed on.' },
  'egress.name-unknown': { status: 502, sentence: 'The host name was not found.' },
  'egress.unreachable': { status: 502, sentence: 'The host did not take the connection.' },
  'egress.bad-answer': { status: 502, sentence: 'The host did not answer in well-formed HTTP.' },
  'egress.upstream-timeout': { status: 504, sentence: 'The host did not answer in time.' },
  'egress.upstream-proxy': { status: 502, sentence: 'The upstream proxy refused the request or did not answer.' },
} as const;

/** Code of a reason. */
export type ReasonCode = keyof typeof REASONS;
