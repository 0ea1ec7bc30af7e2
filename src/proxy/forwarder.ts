import { auditSubject } from '../audit/event.ts';
import { authorityText } from '../policy/authority.ts';
import type { Decision } from '../policy/decision.ts';
import { renderResponseHead, requestFields, responseFields } from '../policy/forward-head.ts';
import { destinationText, type EgressIntent } from '../policy/intent.ts';
import type { RequestHead } from '../policy/request-head.ts';
import type { ReadIntent } from '../policy/request-intent.ts';
import type { UpstreamProxy } from '../policy/table.ts';
import type { Connection } from './connection.ts';
import { type ExchangeOutcome, exchange } from './exchange.ts';
import type { Gate, Passage } from './gate.ts';
import { type Inspection, PLAIN } from './inspection.ts';
import { headBytes, Link, type LinkRequest } from './link.ts';
import { PlaceholderGuard } from './placeholder-guard.ts';
import { reach } from './reach.ts';
import { sendRefusal } from './refusal.ts';
import { denial, notHttp } from './refuse.ts';
import { runTunnel } from './tunnel-request.ts';
import { proxyAuthorization } from './upstream-proxy.ts';

/** Methods that may be sent again when a kept connection turns out to be closed (RFC 9110 section 9.2.2). */
const IDEMPOTENT: readonly string[] = ['DELETE', 'GET', 'HEAD', 'OPTIONS', 'PUT'];

/** Methods of which servers expect a length even when there is no body (RFC 9110 section 8.6). */
const WITH_LENGTH: readonly string[] = ['PATCH', 'POST', 'PUT'];

/** One request that is on its way. */
interface Passing {
  readonly passage: Passage;
  readonly reading: ReadIntent;
  readonly head: RequestHead;
  readonly inspection: Inspection;
}

/** Passes requests of one connection on, and keeps the last connection to a host for the next one. */
export class Forwarder {
  readonly #connection: Connection;
  readonly #gate: Gate;
  #link: Link | null;

  constructor({ connection, gate }: { readonly connection: Connection; readonly gate: Gate }, link: Link | null) {
    this.#connection = connection;
    this.#gate = gate;
    this.#link = link;
  }

  /** Answers one request; whether the client may go on. */
  async forward(reading: ReadIntent, head: RequestHead): Promise<boolean> {
    const connection = this.#connection;
    const { intent } = reading;
    connection.begin(intent);
    // A client that has gone wants no answer any more.
    connection.reader.whenGone(() => connection.cut());
    try {
      const guard = this.#guardOf(intent);
      const attempt = guard.head(head);
      if (attempt !== null) {
        this.#gate.refuse(auditSubject(intent), attempt);
        return await sendRefusal(connection, { decision: attempt, endpoint: intent, head });
      }
      const kept = this.#keptFor(intent);
      const admission = await this.#gate.admit(intent, kept?.place.address ?? null);
      if (connection.isCut) return false;
      const inspection = guard.isIdle ? PLAIN : { ...PLAIN, body: guard };
      if (admission.kind === 'pass') return await this.#pass({ passage: admission, reading, head, inspection });
      return await sendRefusal(connection, { decision: admission.decision, endpoint: intent, head });
    } finally {
      connection.reader.whenGone(null);
      connection.finish(intent);
    }
  }

  /** Ends what is kept. */
  close(): void {
    this.#link?.destroy();
    this.#link = null;
  }

  async #pass(passing: Passing): Promise<boolean> {
    const { passage, reading, head, inspection } = passing;
    const connection = this.#connection;
    const { meter, surroundings } = this.#gate;
    for (;;) {
      const link = this.#keptFor(reading.intent) ?? (await this.#connectAnew(passage, reading.intent));
      if (connection.isCut) return false;
      if (!(link instanceof Link)) return await this.#refuse(passing, link);
      this.#link = link;
      if (head.expectContinue) await connection.send('HTTP/1.1 100 Continue\r\n\r\n');
      const request = requestOf(reading, head, link.place.isAbsolute ? link.place.upstream : null);
      meter.sent(headBytes(request));
      const options = { meter, clock: surroundings.clock, inspection };
      const outcome = await exchange(connection, link, { head, request }, options);
      const mayRepeat = link.isUsed && head.body.kind === 'none' && IDEMPOTENT.includes(head.method);
      if (outcome.kind === 'failed' && mayRepeat && !connection.isCut) continue;
      return await this.#settle(outcome, passing);
    }
  }

  async #settle(outcome: ExchangeOutcome, passing: Passing): Promise<boolean> {
    const endpoint = authorityText(passing.reading.intent);
    switch (outcome.kind) {
      case 'answered':
        return outcome.keepAlive;
      case 'over':
        return false;
      case 'upgraded':
        return await this.#upgrade(outcome, passing);
      case 'refused':
        return await this.#refuse(passing, outcome.decision, outcome.isStarted);
      case 'bad-body':
        return await this.#refuse(passing, denial('egress.bad-request', outcome.detail));
      case 'late':
        return await this.#refuse(passing, denial('egress.upstream-timeout', `${endpoint} did not answer in time.`));
      case 'malformed':
        return await this.#refuse(passing, notHttp(endpoint));
      case 'unauthorized': {
        const message = `The upstream proxy does not take its credentials for ${endpoint}.`;
        return await this.#refuse(passing, denial('egress.upstream-proxy', message));
      }
      case 'failed': {
        const reason = passing.passage.upstream === null ? 'egress.unreachable' : 'egress.upstream-proxy';
        const message = `The connection to ${endpoint} ended before there was an answer.`;
        return await this.#refuse(passing, denial(reason, message));
      }
    }
  }

  /** Passes the change to websocket on, and from there on everything. */
  async #upgrade(
    { response, socket, rest }: Extract<ExchangeOutcome, { readonly kind: 'upgraded' }>,
    passing: Passing,
  ): Promise<boolean> {
    const connection = this.#connection;
    const { intent } = passing.reading;
    const protocol = response.headers.upgrade?.toLowerCase();
    if (response.statusCode !== 101 || protocol !== 'websocket' || passing.reading.upgrade !== 'websocket') {
      socket.destroy();
      return await this.#refuse(passing, notHttp(authorityText(intent)));
    }
    const fields = [...responseFields(response.rawHeaders), 'connection', 'Upgrade', 'upgrade', 'websocket'];
    await connection.send(renderResponseHead(101, response.statusMessage ?? '', fields));
    if (rest.length > 0) socket.unshift(rest);
    const address = this.#link?.place.address ?? null;
    this.#link = null;
    await runTunnel({ connection, gate: this.#gate }, { upstream: socket, address, intent, first: [] });
    return false;
  }

  /** Looks for placeholders of keys that are for others than the host. */
  #guardOf(intent: EgressIntent): PlaceholderGuard {
    const { host, port } = { host: destinationText(intent.destination), port: intent.port };
    const others = this.#gate.rules.table.gateways.filter(({ base }) => base.host !== host || base.port !== port);
    return new PlaceholderGuard(others, authorityText(intent));
  }

  /** The kept link when a request may use it. */
  #keptFor(intent: EgressIntent): Link | null {
    const link = this.#link;
    if (link === null) return null;
    const { upstream } = this.#gate.rules.table;
    const isSame =
      link.place.endpoint === authorityText(intent) && JSON.stringify(link.place.upstream) === JSON.stringify(upstream);
    return isSame && link.isFree ? link : null;
  }

  async #connectAnew(passage: Passage, intent: EgressIntent): Promise<Link | Decision> {
    this.close();
    const reached = await reach({ connection: this.#connection, gate: this.#gate }, passage, intent);
    if (reached.kind === 'refused') return reached.decision;
    const { upstream } = passage;
    const place = {
      endpoint: authorityText(intent),
      address: reached.address,
      upstream,
      isAbsolute: upstream !== null,
    };
    return new Link(reached.socket, place);
  }

  /** Refuses what was allowed before; its body may be on its way, so nothing can follow. */
  async #refuse({ reading, head }: Passing, decision: Decision, isStarted = false): Promise<boolean> {
    const connection = this.#connection;
    if (connection.isCut && !isStarted) return false;
    connection.reader.whenGone(null);
    this.#gate.refuse(auditSubject(reading.intent), decision);
    if (isStarted) return false;
    const mayGoOn = head.body.kind === 'none' ? head : null;
    return await sendRefusal(connection, { decision, endpoint: reading.intent, head: mayGoOn });
  }
}

/** The request as it goes to the host, or whole to an upstream proxy. */
function requestOf(reading: ReadIntent, head: RequestHead, proxy: UpstreamProxy | null): LinkRequest {
  const { host, target, upgrade } = reading;
  const fields = requestFields(head, { host, upgrade });
  const length = head.body.kind === 'none' && WITH_LENGTH.includes(head.method) ? ['content-length', '0'] : [];
  const authorization = proxy === null ? null : proxyAuthorization(proxy);
  return {
    method: head.method,
    target: proxy === null ? target : `http://${host}${target}`,
    fields: [...fields, ...length, ...(authorization === null ? [] : ['proxy-authorization', authorization])],
  };
}
