import { type AuditSubject, UNREADABLE } from '../audit/event.ts';
import { EGRESS_HEAD_TIMEOUT_MS, EGRESS_IDLE_TIMEOUT_MS } from '../base/limits.ts';
import { oneOf } from '../base/quote.ts';
import { findGateway } from '../policy/gateway-path.ts';
import { destinationText } from '../policy/intent.ts';
import { type BadHead, HeadReader, type RequestHead } from '../policy/request-head.ts';
import {
  type Endpoint,
  type OriginRequest,
  type ReadIntent,
  type RefusedRequest,
  readIntent,
} from '../policy/request-intent.ts';
import type { Connection } from './connection.ts';
import { Deadline } from './deadline.ts';
import { Forwarder } from './forwarder.ts';
import type { Gate } from './gate.ts';
import { GatewayForwarder } from './gateway.ts';
import type { Link } from './link.ts';
import { type Refusal, sendRefusal } from './refusal.ts';
import { denial } from './refuse.ts';
import { openTunnel } from './tunnel-request.ts';

/** A tunnel whose inside is HTTP. */
export interface Inside {
  readonly endpoint: Endpoint;
  /** The connection that the tunnel made. */
  readonly link: Link;
}

/**
 * Answers the requests of one connection, one after the other, until the client or a refusal ends it. What comes
 * after a request stays unread until that one is answered.
 */
export class Conversation {
  readonly #connection: Connection;
  readonly #gate: Gate;
  readonly #within: Endpoint | null;
  readonly #forwarder: Forwarder;
  readonly #gateways: GatewayForwarder;

  constructor(connection: Connection, gate: Gate, inside: Inside | null = null) {
    this.#connection = connection;
    this.#gate = gate;
    this.#within = inside?.endpoint ?? null;
    this.#forwarder = new Forwarder({ connection, gate }, inside?.link ?? null);
    this.#gateways = new GatewayForwarder({ connection, gate });
  }

  /** Runs to the end of the connection. */
  async run(): Promise<void> {
    while (!this.#connection.isCut) {
      const head = await this.#readHead();
      if (head === 'over') break;
      if (!(await this.#answer(head))) break;
    }
    this.#forwarder.close();
    this.#gateways.close();
    if (!this.#connection.isCut) await this.#connection.close();
  }

  /** Answers one request; whether the client may go on. */
  async #answer(head: RequestHead | BadHead): Promise<boolean> {
    if ('kind' in head) {
      const decision = denial(head.reason, head.detail);
      return await this.#refuse(UNREADABLE, { decision, endpoint: this.#within, head: null });
    }
    const reading = readIntent(head, this.#within);
    if (reading.kind === 'intent' && reading.intent.form === 'http')
      return await this.#forwarder.forward(reading, head);
    if (reading.kind === 'intent') return await this.#tunnel(reading, head);
    if (reading.kind === 'refused') return await this.#refuseUnread(reading, head);
    return await this.#originForm(reading, head);
  }

  /** A request to the proxy itself: for one of the gateways, or for nothing. */
  async #originForm(reading: OriginRequest, head: RequestHead): Promise<boolean> {
    const { gateways } = this.#gate.rules.table;
    const gateway = findGateway(gateways, reading.path);
    if (gateway !== null) return await this.#gateways.forward(gateway, reading, head);
    const mounts = gateways.map(({ mount }) => mount);
    const suggestion = mounts.length === 0 ? null : `There is something under ${oneOf(mounts)}.`;
    const message = 'The proxy itself has nothing to offer under this path.';
    const decision = denial('egress.no-gateway', message, suggestion);
    const subject: AuditSubject = { form: 'http', method: head.method, host: null, port: null, path: reading.path };
    return await this.#refuse(subject, { decision, endpoint: null, head });
  }

  async #tunnel({ intent }: ReadIntent, head: RequestHead): Promise<boolean> {
    const [connection, gate] = [this.#connection, this.#gate];
    const outcome = await openTunnel({ connection, gate }, intent, head);
    if (outcome.kind === 'http') await new Conversation(connection, gate, outcome).run();
    return outcome.kind === 'refused' && outcome.keepAlive;
  }

  async #refuseUnread({ about, reason, detail }: RefusedRequest, head: RequestHead): Promise<boolean> {
    const subject: AuditSubject = {
      form: head.method === 'CONNECT' ? 'tunnel' : 'http',
      method: head.method,
      host: about === null ? null : destinationText(about.destination),
      port: about?.port ?? null,
      path: null,
    };
    return await this.#refuse(subject, { decision: denial(reason, detail), endpoint: about, head });
  }

  async #refuse(subject: AuditSubject, refusal: Refusal): Promise<boolean> {
    this.#gate.refuse(subject, refusal.decision);
    return await sendRefusal(this.#connection, refusal);
  }

  /** The next head; `over` when the client has no further request. */
  async #readHead(): Promise<RequestHead | BadHead | 'over'> {
    const { reader } = this.#connection;
    const { clock } = this.#gate.surroundings;
    using idle = new Deadline(clock, EGRESS_IDLE_TIMEOUT_MS);
    const first = await reader.read(idle);
    if (typeof first === 'string') return 'over';
    const heads = new HeadReader();
    let reading = heads.add(first);
    if (reading.kind === 'incomplete') {
      using deadline = new Deadline(clock, EGRESS_HEAD_TIMEOUT_MS);
      while (reading.kind === 'incomplete') {
        const piece = await reader.read(deadline);
        if (piece === 'end') return 'over';
        if (piece === 'late') return { kind: 'bad', reason: 'egress.head-timeout', detail: 'The head took too long.' };
        reading = heads.add(piece);
      }
    }
    if (reading.kind === 'bad') return reading;
    reader.unread(heads.rest());
    return reading.head;
  }
}
