import { quote } from '../base/quote.ts';
import type { Decision } from './decision.ts';
import * as text from './decision-text.ts';
import { parseHostName } from './host-name.ts';
import { destinationText, type EgressIntent } from './intent.ts';
import type { ReasonCode } from './reasons.ts';
import type { EgressRule } from './table.ts';

/** What a TLS handshake says of the host it is for. */
export interface HelloNames {
  /** The name of the server, or null without one. */
  readonly serverName: string | null;
  /** Whether the real name may be another one, encrypted. */
  readonly encryptedClientHello: boolean;
}

/**
 * Decides about the TLS handshake in a tunnel that `rule` allowed: it names the host of the tunnel, readably. A tunnel
 * to an address may leave the name out, since addresses are never named there (RFC 6066 §3), and need not be readable
 * then. A rule with protocol `tcp` allows anything.
 */
export function judgeServerName(intent: EgressIntent, rule: EgressRule, hello: HelloNames): Decision {
  const endpoint = text.endpointText(intent);
  const allowed = `${text.ruleText(rule)} allows ${endpoint}.`;
  const allow: Decision = {
    verdict: 'allow',
    reason: 'egress.allowed',
    rule: rule.pointer,
    message: allowed,
    suggestion: null,
  };
  const refuse = (reason: ReasonCode, what: string, remedy: string): Decision => {
    const message = `The TLS handshake in the tunnel to ${endpoint} ${what}.`;
    const place = text.placeText(rule.pointer);
    const suggestion = place.startsWith('allowed_hosts')
      ? `${remedy}, or set "protocol": "tcp" at ${place}.`
      : `${remedy}.`;
    return { verdict: 'deny', reason, rule: rule.pointer, message, suggestion };
  };
  if (rule.protocol === 'tcp') return allow;
  const { serverName, encryptedClientHello } = hello;
  if (serverName === null) {
    const remedy = 'Use a client that sends the server name';
    return intent.destination.kind === 'address'
      ? allow
      : refuse('egress.server-name-missing', 'names no host', remedy);
  }
  if (!namesDestination(serverName, intent))
    return refuse(
      'egress.server-name-mismatch',
      `names ${quote(serverName)}`,
      'Ask the proxy for the host that is meant',
    );
  if (!encryptedClientHello || intent.destination.kind === 'address') return allow;
  return refuse('egress.encrypted-client-hello', 'hides a name', 'Turn Encrypted Client Hello off in the client');
}

function namesDestination(serverName: string, { destination }: EgressIntent): boolean {
  if (destination.kind === 'address') return serverName === destinationText(destination);
  const reading = parseHostName(serverName);
  return reading.ok && reading.name === destination.name;
}
