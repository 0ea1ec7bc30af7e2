import { chmodSync, mkdirSync, rmSync } from 'node:fs';
import { createServer, type Server, type Socket } from 'node:net';
import {
  auditSubject,
  modelCallDraft,
  modelTotalsDraft,
  openedDraft,
  rulesChangedDrafts,
  UNREADABLE,
} from '../audit/event.ts';
import { EGRESS_BUFFER_BYTES, EGRESS_CONNECTIONS_MAX, EGRESS_LINGERING_MAX } from '../base/limits.ts';
import type { EgressSummary, GatewayUsage } from '../policy/table.ts';
import { AuditLog } from './audit-log.ts';
import { Concealment } from './concealment.ts';
import { Connection } from './connection.ts';
import { Conversation } from './conversation.ts';
import { Gate, plainDenial, type Rules } from './gate.ts';
import { Meter } from './meter.ts';
import { ModelMeter } from './model-meter.ts';
import { sendRefusal } from './refusal.ts';
import { denial } from './refuse.ts';
import type { Surroundings } from './surroundings.ts';

/** Where agents' sockets and audits are. */
export interface PortPlaces {
  /** Holds `<id>/proxy.sock`. */
  readonly socketsDirectory: string;
  /** Holds `<id>/audit.jsonl`. */
  readonly auditsDirectory: string;
}

/** Waiting connections; the relay of an agent opens one for each connection of the agent. */
const BACKLOG = 1024;

/** The group is that of the relays. */
const DIRECTORY_MODE = 0o750;
const SOCKET_MODE = 0o660;

/**
 * The way out of one agent: a Unix socket whose path is the agent's identity, and everything that is known of the
 * agent. No object of one agent is ever seen by another's.
 */
export class AgentPort {
  readonly #id: string;
  readonly #directory: string;
  readonly #surroundings: Surroundings;
  readonly #concealment = new Concealment();
  readonly #log: AuditLog;
  readonly #meter: Meter;
  readonly #models: ModelMeter;
  readonly #gate: Gate;
  readonly #server: Server;
  readonly #connections = new Set<Connection>();
  #lingering = 0;

  private constructor(rules: Rules, places: PortPlaces, surroundings: Surroundings) {
    const { id, caps, gateways, budget, since = 0 } = rules.table;
    this.#id = id;
    this.#directory = `${places.socketsDirectory}/${id}`;
    this.#surroundings = surroundings;
    this.#concealment.replace(gateways);
    this.#log = AuditLog.open(places.auditsDirectory, id, surroundings.clock, this.#concealment);
    this.#meter = new Meter(surroundings.clock, () => this.#cutAll());
    this.#meter.limit(caps);
    const before = gateways.length === 0 ? [] : this.#log.usage(since);
    this.#models = new ModelMeter(before, (call) => this.#gate.note(modelCallDraft(call, since)));
    this.#models.replace(gateways, budget);
    this.#log.carry(() => this.#models.usage.filter(isUsed).map((usage) => modelTotalsDraft(usage, since)));
    this.#gate = new Gate(rules, { surroundings, log: this.#log, meter: this.#meter, models: this.#models });
    const options = { allowHalfOpen: true, highWaterMark: EGRESS_BUFFER_BYTES };
    this.#server = createServer(options, (socket) => this.#accept(socket));
  }

  /** Begins to answer an agent. Throws what the system throws when its socket cannot be made. */
  static async open(rules: Rules, places: PortPlaces, surroundings: Surroundings): Promise<AgentPort> {
    const port = new AgentPort(rules, places, surroundings);
    try {
      await port.#listen();
    } catch (error) {
      port.#log[Symbol.dispose]();
      throw error;
    }
    port.#gate.note(openedDraft(rules.table));
    return port;
  }

  /** Other rules from now on: what they deny is cut, everything else goes on. */
  replace(rules: Rules): void {
    const before = this.#gate.rules.table.policy;
    this.#gate.replace(rules);
    this.#meter.limit(rules.table.caps);
    this.#models.replace(rules.table.gateways, rules.table.budget);
    this.#concealment.replace(rules.table.gateways);
    for (const draft of rulesChangedDrafts(before, rules.table.policy)) this.#gate.note(draft);
    for (const connection of [...this.#connections]) this.#rejudge(connection);
    if (this.#meter.isSpent) this.#cutAll();
  }

  /** What came of the agent's requests so far. */
  summary(): EgressSummary {
    const openConnections = this.#connections.size;
    const gateways = this.#models.usage;
    const { topRefusals, ...counters } = this.#meter.counters;
    const shown = topRefusals.map((refusal) => this.#concealment.members(refusal));
    return { id: this.#id, ...counters, topRefusals: shown, openConnections, gateways, auditHead: this.#log.head };
  }

  /** Ends everything of the agent, which is over; a last look at what came of its requests. */
  async close(): Promise<EgressSummary> {
    await this.#shut();
    this.#log.close(this.#meter.counters);
    return this.summary();
  }

  /** Ends everything because the proxy ends; the agent is not over. */
  async suspend(): Promise<void> {
    await this.#shut();
    this.#log[Symbol.dispose]();
  }

  async #shut(): Promise<void> {
    const closed = new Promise((resolve) => this.#server.close(resolve));
    for (const connection of [...this.#connections]) connection.cut();
    await closed;
    await this.#gate.close();
    this.#connections.clear();
    rmSync(this.#directory, { recursive: true, force: true });
  }

  async #listen(): Promise<void> {
    const path = `${this.#directory}/proxy.sock`;
    mkdirSync(this.#directory, { recursive: true, mode: DIRECTORY_MODE });
    // Of a proxy that was killed.
    rmSync(path, { force: true });
    await new Promise<void>((resolve, reject) => {
      this.#server.once('error', reject);
      this.#server.listen({ path, backlog: BACKLOG }, () => {
        this.#server.off('error', reject);
        this.#server.on('error', (error) => this.#surroundings.onBug(error));
        resolve();
      });
    });
    chmodSync(path, SOCKET_MODE);
  }

  #accept(socket: Socket): void {
    const connection = new Connection(socket, this.#surroundings.clock);
    if (this.#connections.size >= EGRESS_CONNECTIONS_MAX) {
      void this.#turnAway(connection).catch((error: unknown) => this.#fail(connection, error));
      return;
    }
    this.#connections.add(connection);
    socket.once('close', () => this.#connections.delete(connection));
    new Conversation(connection, this.#gate).run().catch((error: unknown) => this.#fail(connection, error));
  }

  /** Says that there are too many connections, as long as not too many are told so at once. */
  async #turnAway(connection: Connection): Promise<void> {
    const message = `There are ${EGRESS_CONNECTIONS_MAX} connections already.`;
    const decision = denial('egress.connections', message, 'Close some first.');
    this.#gate.refuse(UNREADABLE, decision);
    if (this.#lingering >= EGRESS_LINGERING_MAX) return connection.cut();
    this.#lingering += 1;
    try {
      await sendRefusal(connection, { decision, endpoint: null, head: null });
      await connection.close();
    } finally {
      this.#lingering -= 1;
    }
  }

  /** Cuts a connection that carries something which is denied now. */
  #rejudge(connection: Connection): void {
    const denied = connection.intents
      .map((intent) => ({ intent, decision: this.#gate.judge(intent) }))
      .find(({ decision }) => decision.verdict === 'deny');
    if (denied === undefined) return;
    this.#gate.refuse(auditSubject(denied.intent), denied.decision);
    connection.cut();
  }

  /** No more bytes may pass. Connections without a request stay, so that the next request is told why. */
  #cutAll(): void {
    for (const connection of [...this.#connections]) {
      const [intent] = connection.intents;
      if (intent === undefined || connection.isCut) continue;
      this.#gate.refuse(auditSubject(intent), plainDenial('egress.bytes', intent));
      connection.cut();
    }
  }

  #fail(connection: Connection, error: unknown): void {
    connection.cut();
    this.#surroundings.onBug(error);
  }
}

function isUsed({ requests }: GatewayUsage): boolean {
  return requests > 0;
}
