import type { AgentTable } from '../../src/policy/table.ts';
import type { OriginPorts } from './egress-order.ts';
import { ROUTES, type Route } from './egress-route.ts';
import { OWN_UNIT, relayRoute, socketRoute, tellProxy } from './own-proxy.ts';
import { readProgram } from './program.ts';

/** As many as spread a thousand tunnels below what one agent may have at once. */
const AGENTS = ['bench-egress-1', 'bench-egress-2', 'bench-egress-3', 'bench-egress-4', 'bench-egress-5'];
const [RELAYED = ''] = AGENTS;

/** The running agent-egressd with rules for some agents, at their sockets and through the relay of one of them. */
export async function openOwnRoutes(origin: OriginPorts): Promise<readonly Route[]> {
  await readProgram(['systemctl', 'start', OWN_UNIT]);
  for (const id of AGENTS) await tellProxy('PUT', id, tableFor(id, origin));
  const socket = { name: ROUTES.socket, description: "agent-egressd at its agents' Unix sockets" };
  const description = "the same from an agent's network namespace, through systemd-socket-proxyd";
  return [socketRoute(socket, AGENTS), relayRoute({ name: ROUTES.relay, description }, RELAYED)];
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
