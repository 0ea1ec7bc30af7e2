import { once } from 'node:events';
import type { IncomingMessage } from 'node:http';
import { request } from 'node:http';
import type { AgentTable } from '../../src/policy/table.ts';
import type { OriginPorts } from './egress-order.ts';
import { ROUTES, type Route } from './egress-route.ts';
import { readProgram } from './program.ts';

const CONTROL = '/run/agent-egress-control.sock';

/** As many as spread a thousand tunnels below what one agent may have at once. */
const AGENTS = ['bench-egress-1', 'bench-egress-2', 'bench-egress-3', 'bench-egress-4', 'bench-egress-5'];
const [RELAYED = ''] = AGENTS;

/** The running agent-egressd with rules for some agents, at their sockets and through the relay of one of them. */
export async function openOwnRoutes(origin: OriginPorts): Promise<readonly Route[]> {
  await readProgram(['systemctl', 'start', 'agent-egressd.service']);
  for (const id of AGENTS) await call('PUT', id, tableFor(id, origin));
  const socket: Route = {
    name: ROUTES.socket,
    description: "agent-egressd at its agents' Unix sockets",
    vias: AGENTS.map((id) => ({ path: `/run/agent-egress/${id}/proxy.sock` })),
    wrap: (argv) => argv,
    pids: () => mainPids('agent-egressd.service'),
    keepsAlive: true,
    takesMany: true,
    close: async () => {
      for (const id of AGENTS) await call('DELETE', id);
    },
  };
  const listener = `agent-egress@${RELAYED}.socket`;
  const namespace = ['PrivateNetwork=yes', `JoinsNamespaceOf=${listener}`, `Requires=${listener}`, `After=${listener}`];
  const relay: Route = {
    name: ROUTES.relay,
    description: "the same from an agent's network namespace, through systemd-socket-proxyd",
    vias: [{ port: 3128 }],
    wrap: (argv) => [
      ...['systemd-run', '--quiet', '--wait', '--pipe', '--collect'],
      ...namespace.flatMap((property) => ['--property', property]),
      '--',
      ...argv,
    ],
    pids: async () => [
      ...(await mainPids('agent-egressd.service')),
      ...(await mainPids(`agent-egress@${RELAYED}.service`)),
    ],
    keepsAlive: true,
    takesMany: false,
    close: () => Promise.resolve(),
  };
  return [socket, relay];
}

/** What lets an agent reach the origin: its address, written out. */
function tableFor(id: string, origin: OriginPorts): AgentTable {
  const rule = { host: '127.0.0.1', ports: [origin.http, origin.bytes], methods: null, paths: null };
  return {
    id,
    policy: { allow: [{ ...rule, protocol: 'tcp', pointer: '/allowed_hosts/0', reason: null }], deny: [] },
    upstream: null,
    caps: { maxBytes: null, requestsPerMinute: null },
    gateways: [],
    budget: { requests: null, tokens: null },
  };
}

async function call(method: string, id: string, body?: AgentTable): Promise<void> {
  const sent = request({ socketPath: CONTROL, method, path: `/agents/${id}` });
  sent.end(body === undefined ? '' : JSON.stringify(body));
  const [answer] = (await once(sent, 'response')) as [IncomingMessage];
  const pieces: Buffer[] = [];
  for await (const piece of answer) pieces.push(piece as Buffer);
  if (answer.statusCode !== 200) throw new Error(`${method} ${id}: ${Buffer.concat(pieces).toString().slice(0, 300)}`);
}

async function mainPids(unit: string): Promise<readonly number[]> {
  const pid = Number(await readProgram(['systemctl', 'show', '--property=MainPID', '--value', unit]));
  return pid > 0 ? [pid] : [];
}
