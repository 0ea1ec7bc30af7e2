import type { Socket } from 'node:net';
import { auditSubject, tunnelClosedDraft } from '../audit/event.ts';
import { EGRESS_HEAD_TIMEOUT_MS } from '../base/limits.ts';
import type { Address } from '../policy/address.ts';
import { authorityText } from '../policy/authority.ts';
import type { Decision } from '../policy/decision.ts';
import { destinationText, type EgressIntent } from '../policy/intent.ts';
import type { RequestHead } from '../policy/request-head.ts';
import type { Endpoint } from '../policy/request-intent.ts';
import { judgeServerName } from '../policy/server-name.ts';
import type { Connection } from './connection.ts';
import { Deadline } from './deadline.ts';
import type { Gate, RulePassage } from './gate.ts';
import { type Peek, peek } from './hello.ts';
import { Link } from './link.ts';
import { reach } from './reach.ts';
import { sendRefusal } from './refusal.ts';
import { denial } from './refuse.ts';
import { Tunnel } from './tunnel.ts';

/** What a tunnel turned out to be: over, or HTTP that is judged request by request. */
export type TunnelOutcome =
  | { readonly kind: 'over' }
  /** Refused before it began; `keepAlive`: the client may go on. */
  | { readonly kind: 'refused'; readonly keepAlive: boolean }
  | { readonly kind: 'http'; readonly endpoint: Endpoint; readonly link: Link };

/** Who asks. */
interface Asking {
  readonly connection: Connection;
  readonly gate: Gate;
}

/** A tunnel that may carry what it has. */
interface OpenTunnel {
  readonly upstream: Socket;
  readonly address: Address | null;
  readonly intent: EgressIntent;
  /** What was read of the client's bytes already. */
  readonly first: readonly Uint8Array[];
}

/** Makes the tunnel that a CONNECT asks for and, unless its rule takes anything, looks at what it carries. */
export async function openTunnel(asking: Asking, intent: EgressIntent, head: RequestHead): Promise<TunnelOutcome> {
  const { connection, gate } = asking;
  connection.begin(intent);
  connection.reader.whenGone(() => connection.cut());
  const admission = await gate.admit(intent, null);
  if (admission.kind === 'refused') return await refuse(asking, intent, { decision: admission.decision, head });
  const reached = await reach(asking, admission, intent);
  if (connection.isCut) return { kind: 'over' };
  if (reached.kind === 'refused') {
    gate.refuse(auditSubject(intent), reached.decision);
    return await refuse(asking, intent, { decision: reached.decision, head });
  }
  await connection.send('HTTP/1.1 200 Connection established\r\n\r\n');
  const { socket, address } = reached;
  const tunnel = { upstream: socket, address, intent };
  if (admission.rule.protocol === 'tcp') {
    await runTunnel(asking, { ...tunnel, first: [] });
    return { kind: 'over' };
  }
  using deadline = new Deadline(gate.surroundings.clock, EGRESS_HEAD_TIMEOUT_MS);
  const seen = await peek(connection.reader, deadline);
  if (connection.isCut) return { kind: 'over' };
  if (seen.reading.kind === 'http') {
    connection.reader.whenGone(null);
    connection.reader.unread(Buffer.concat(seen.bytes));
    const place = { endpoint: authorityText(intent), address, upstream: admission.upstream, isAbsolute: false };
    return { kind: 'http', endpoint: intent, link: new Link(socket, place) };
  }
  const decision = judgePeek(seen, admission, intent);
  if (decision.verdict === 'allow') await runTunnel(asking, { ...tunnel, first: seen.bytes });
  else {
    gate.refuse(auditSubject(intent), decision);
    connection.cut();
  }
  return { kind: 'over' };
}

/** Carries what a tunnel or a websocket has, to its end, and writes that down. */
export function runTunnel(asking: Asking, tunnel: OpenTunnel): Promise<void> {
  return asking.gate.track(carry(asking, tunnel));
}

async function carry({ connection, gate }: Asking, tunnel: OpenTunnel): Promise<void> {
  const { upstream, address, intent, first } = tunnel;
  const kept = connection.reader.release();
  const ends = { client: connection.socket, upstream };
  const running = new Tunnel(ends, gate.meter, gate.surroundings.clock);
  const traffic = await running.run(kept.length === 0 ? first : [...first, kept]);
  gate.note(tunnelClosedDraft({ host: destinationText(intent.destination), port: intent.port, address }, traffic));
}

/** Whether what came first through a tunnel is what its rule lets through. */
function judgePeek({ reading }: Peek, { rule }: RulePassage, intent: EgressIntent): Decision {
  const endpoint = authorityText(intent);
  const suggestion = 'Use a rule with "protocol": "tcp" if anything may go there.';
  switch (reading.kind) {
    case 'hello':
      return judgeServerName(intent, rule, reading);
    case 'bad':
      return denial('egress.not-tls', `The tunnel to ${endpoint} carries no readable TLS handshake: ${reading.detail}`);
    case 'late':
      return denial('egress.tunnel-timeout', `Nothing came through the tunnel to ${endpoint} in time.`, suggestion);
    default:
      return denial('egress.not-tls', `The tunnel to ${endpoint} carries neither TLS nor HTTP.`, suggestion);
  }
}

async function refuse(
  { connection }: Asking,
  intent: EgressIntent,
  { decision, head }: { readonly decision: Decision; readonly head: RequestHead },
): Promise<TunnelOutcome> {
  connection.finish(intent);
  connection.reader.whenGone(null);
  return { kind: 'refused', keepAlive: await sendRefusal(connection, { decision, endpoint: intent, head }) };
}
