import { type AuditSubject, auditSubject } from '../audit/event.ts';
import { authorityText } from '../policy/authority.ts';
import type { Decision } from '../policy/decision.ts';
import { gatewayUpstream } from '../policy/gateway-decision.ts';
import { gatewayFields } from '../policy/gateway-fields.ts';
import { baseDestination, type GatewayRequest, gatewayRequest } from '../policy/gateway-path.ts';
import { destinationText, type EgressIntent } from '../policy/intent.ts';
import type { RequestHead } from '../policy/request-head.ts';
import type { OriginRequest } from '../policy/request-intent.ts';
import type { Gateway, UpstreamProxy } from '../policy/table.ts';
import type { Connection } from './connection.ts';
import { type ExchangeOutcome, exchange } from './exchange.ts';
import { type Gate, type GatewayPassage, plainDenial } from './gate.ts';
import { GatewayInspection } from './gateway-inspection.ts';
import { secureApi } from './gateway-tls.ts';
import type { Inspection } from './inspection.ts';
import { headBytes, Link, type LinkRequest } from './link.ts';
import type { ByteCounter } from './meter.ts';
import { PlaceholderGuard } from './placeholder-guard.ts';
import { reach } from './reach.ts';
import { sendRefusal } from './refusal.ts';
import { denial, notHttp } from './refuse.ts';

/** Methods that may be sent again when a kept connection turns out to be closed (RFC 9110 section 9.2.2). */
const IDEMPOTENT: readonly string[] = ['GET', 'HEAD'];

/** One request to an API that is on its way. */
interface Passing {
  readonly passage: GatewayPassage;
  readonly request: GatewayRequest;
  readonly head: RequestHead;
  readonly guard: PlaceholderGuard;
}

/** A connection to an API, for the next request to it. */
interface Kept {
  readonly link: Link;
  /** Tells whether it leads to the same place in the same way. */
  readonly way: string;
}

/** Passes requests of one connection to APIs with a credential that the agent does not have. */
export class GatewayForwarder {
  readonly #connection: Connection;
  readonly #gate: Gate;
  #kept: Kept | null = null;

  constructor({ connection, gate }: { readonly connection: Connection; readonly gate: Gate }) {
    this.#connection = connection;
    this.#gate = gate;
  }

  /** Answers one request to a gateway; whether the client may go on. */
  async forward(gateway: Gateway, { path, query }: OriginRequest, head: RequestHead): Promise<boolean> {
    const request = gatewayRequest(gateway, { method: head.method, path, query });
    if (request === null || head.upgrade !== null) return await this.#refuseUnsent(gateway, { path, head });
    const connection = this.#connection;
    const { intent } = request;
    const guard = this.#guardOf(gateway, intent);
    const early = guard.head(head) ?? this.#budgetDenial(intent);
    if (early !== null) return await this.#refuseEarly(gateway, { intent, head }, early);
    connection.begin(intent);
    // A client that has gone wants no answer any more.
    connection.reader.whenGone(() => connection.cut());
    try {
      const kept = this.#keptFor(gateway);
      const admission = await this.#gate.admitGateway(intent, kept?.place.address ?? null);
      if (connection.isCut) return false;
      if (admission.kind === 'pass') {
        return await this.#gate.track(this.#pass({ passage: admission, request, head, guard }));
      }
      return await sendRefusal(connection, { ...about(intent, head, gateway), decision: admission.decision });
    } finally {
      connection.reader.whenGone(null);
      connection.finish(intent);
    }
  }

  /** Ends what is kept. */
  close(): void {
    this.#kept?.link.destroy();
    this.#kept = null;
  }

  /** Passes a request on and counts what it uses. */
  async #pass(passing: Passing): Promise<boolean> {
    const { passage, request, guard } = passing;
    const { gateway } = passage;
    const { intent } = request;
    const { meter, models, secretForms } = this.#gate;
    // Others may have spent the rest while this was admitted; from here to the beginning of the call nothing waits.
    const spent = this.#budgetDenial(intent);
    if (spent !== null) return await this.#refuse(passing, spent);
    const call = models.begin(gateway.mount, intent.method);
    const inspection = new GatewayInspection({ gateway, intent, body: guard.isIdle ? null : guard, secretForms });
    try {
      return await this.#carry(passing, inspection, bothCounters(meter, call));
    } finally {
      call.finish(inspection.status, inspection.tokens());
    }
  }

  async #carry(passing: Passing, inspection: Inspection, meter: ByteCounter): Promise<boolean> {
    const { passage, request, head } = passing;
    const { gateway } = passage;
    const connection = this.#connection;
    const { clock } = this.#gate.surroundings;
    for (;;) {
      const link = this.#keptFor(gateway) ?? (await this.#connectAnew(passage, request.intent));
      if (connection.isCut) return false;
      if (!(link instanceof Link)) return await this.#refuse(passing, link);
      if (head.expectContinue) await connection.send('HTTP/1.1 100 Continue\r\n\r\n');
      const sent = requestOf(gateway, request, head);
      meter.sent(headBytes(sent));
      const outcome = await exchange(connection, link, { head, request: sent }, { meter, clock, inspection });
      const mayRepeat = link.isUsed && head.body.kind === 'none' && IDEMPOTENT.includes(head.method);
      if (outcome.kind === 'failed' && mayRepeat && !connection.isCut) continue;
      return await this.#settle(outcome, passing);
    }
  }

  async #settle(outcome: ExchangeOutcome, passing: Passing): Promise<boolean> {
    const endpoint = authorityText(passing.request.intent);
    switch (outcome.kind) {
      case 'answered':
        return outcome.keepAlive;
      case 'over':
        return false;
      case 'refused':
        return await this.#refuse(passing, outcome.decision, outcome.isStarted);
      case 'bad-body':
        return await this.#refuse(passing, denial('egress.bad-request', outcome.detail));
      case 'late':
        return await this.#refuse(passing, denial('egress.upstream-timeout', `${endpoint} did not answer in time.`));
      case 'upgraded':
        outcome.socket.destroy();
        return await this.#refuse(passing, notHttp(endpoint));
      case 'malformed':
      case 'unauthorized':
        return await this.#refuse(passing, notHttp(endpoint));
      case 'failed': {
        const message = `The connection to ${endpoint} ended before there was an answer.`;
        return await this.#refuse(passing, denial('egress.unreachable', message));
      }
    }
  }

  /** Looks for placeholders of other gateways. */
  #guardOf({ mount }: Gateway, intent: EgressIntent): PlaceholderGuard {
    const others = this.#gate.rules.table.gateways.filter((gateway) => gateway.mount !== mount);
    return new PlaceholderGuard(others, authorityText(intent));
  }

  /** Why a request must not call a model, or null. */
  #budgetDenial(intent: EgressIntent): Decision | null {
    const reason = this.#gate.models.admit(intent.mount ?? '', intent.method);
    return reason === null ? null : plainDenial(reason, intent);
  }

  /** The kept link when a request to a gateway may use it. */
  #keptFor(gateway: Gateway): Link | null {
    const { upstream } = this.#gate.rules.table;
    if (this.#kept?.way !== wayOf(gateway, gatewayUpstream(gateway, upstream))) return null;
    return this.#kept.link.isFree ? this.#kept.link : null;
  }

  async #connectAnew(passage: GatewayPassage, intent: EgressIntent): Promise<Link | Decision> {
    this.close();
    const { gateway, upstream } = passage;
    const way = wayOf(gateway, upstream);
    const connection = this.#connection;
    const reached = await reach({ connection, gate: this.#gate }, passage, intent);
    if (reached.kind === 'refused') return reached.decision;
    const { base } = gateway;
    const endpoint = authorityText(intent);
    const options = {
      base,
      endpoint,
      surroundings: this.#gate.surroundings,
      attach: (socket: Parameters<Connection['attach']>[0]) => connection.attach(socket),
    };
    const socket = base.scheme === 'http' ? reached.socket : await secureApi(reached.socket, options);
    if ('verdict' in socket) return socket;
    const link = new Link(socket, { endpoint, address: reached.address, upstream, isAbsolute: false });
    this.#kept = { link, way };
    return link;
  }

  /** Refuses what no gateway passes on; nothing was judged yet. */
  async #refuseUnsent(
    gateway: Gateway,
    { path, head }: { readonly path: string; readonly head: RequestHead },
  ): Promise<boolean> {
    const { base, mount } = gateway;
    const place = { destination: baseDestination(base), port: base.port };
    const subject: AuditSubject = {
      form: 'gateway',
      method: head.method,
      host: destinationText(place.destination),
      port: base.port,
      path,
    };
    const endpoint = authorityText(place);
    const decision =
      head.upgrade === null
        ? denial('egress.gateway-path', `The gateway ${mount} to ${endpoint} does not pass this path or method on.`)
        : denial('egress.upgrade', `The gateway ${mount} to ${endpoint} takes no upgrades.`);
    this.#gate.refuse(subject, decision);
    return await sendRefusal(this.#connection, { ...about(place, head, gateway), decision });
  }

  /** Refuses what was judged without the rules. */
  async #refuseEarly(
    gateway: Gateway,
    { intent, head }: { readonly intent: EgressIntent; readonly head: RequestHead },
    decision: Decision,
  ): Promise<boolean> {
    this.#gate.refuse(auditSubject(intent), decision);
    return await sendRefusal(this.#connection, { ...about(intent, head, gateway), decision });
  }

  /** Refuses what was allowed before; its body may be on its way, so nothing can follow. */
  async #refuse({ passage, request, head }: Passing, decision: Decision, isStarted = false): Promise<boolean> {
    const connection = this.#connection;
    if (connection.isCut && !isStarted) return false;
    connection.reader.whenGone(null);
    this.#gate.refuse(auditSubject(request.intent), decision);
    if (isStarted) return false;
    const mayGoOn = head.body.kind === 'none' ? head : null;
    return await sendRefusal(connection, { ...about(request.intent, mayGoOn, passage.gateway), decision });
  }
}

function wayOf({ mount, base }: Gateway, upstream: UpstreamProxy | null): string {
  return JSON.stringify([mount, base, upstream]);
}

/** What a refusal says besides its decision. */
function about<E>(
  endpoint: E,
  head: RequestHead | null,
  { provider }: Gateway,
): { readonly endpoint: E; readonly head: RequestHead | null; readonly isApi: boolean } {
  // git shows an error's body as it is.
  return { endpoint, head, isApi: provider !== 'git' };
}

/** The request as it goes to the API, with the credential. */
function requestOf(gateway: Gateway, { target, host }: GatewayRequest, head: RequestHead): LinkRequest {
  const length = head.body.kind === 'none' && head.method === 'POST' ? ['content-length', '0'] : [];
  return { method: head.method, target, fields: [...gatewayFields(head, gateway, host), ...length] };
}

/** Tells both of the bytes that pass. */
function bothCounters(one: ByteCounter, other: ByteCounter): ByteCounter {
  return {
    sent: (bytes) => {
      one.sent(bytes);
      other.sent(bytes);
    },
    received: (bytes) => {
      one.received(bytes);
      other.received(bytes);
    },
  };
}
