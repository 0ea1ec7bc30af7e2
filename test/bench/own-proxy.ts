import { once } from 'node:events';
import type { IncomingMessage } from 'node:http';
import { request } from 'node:http';
import type { AgentTable } from '../../src/policy/table.ts';
import type { Route } from './egress-route.ts';
import { readProgram } from './program.ts';

const CONTROL = '/run/agent-egress-control.sock';

/** The unit of the proxy. */
export const OWN_UNIT = 'agent-egressd.service';

/** What a route is called and what people read of it. */
export type RouteTitle = Pick<Route, 'description' | 'name'>;

/** The proxy at the sockets of these agents, which have their tables already and lose them when it is closed. */
export function socketRoute(title: RouteTitle, ids: readonly string[]): Route {
  return {
    ...title,
    vias: ids.map((id) => ({ path: `/run/agent-egress/${id}/proxy.sock` })),
    wrap: (argv) => argv,
    pids: () => mainPids(OWN_UNIT),
    keepsAlive: true,
    takesMany: true,
    close: async () => {
      for (const id of ids) await tellProxy('DELETE', id);
    },
  };
}

/** The same from the network namespace of one agent, through its relay. */
export function relayRoute(title: RouteTitle, id: string): Route {
  const listener = `agent-egress@${id}.socket`;
  const namespace = ['PrivateNetwork=yes', `JoinsNamespaceOf=${listener}`, `Requires=${listener}`, `After=${listener}`];
  return {
    ...title,
    vias: [{ port: 3128 }],
    wrap: (argv) => [
      ...['systemd-run', '--quiet', '--wait', '--pipe', '--collect'],
      ...namespace.flatMap((property) => ['--property', property]),
      '--',
      ...argv,
    ],
    pids: async () => [...(await mainPids(OWN_UNIT)), ...(await mainPids(`agent-egress@${id}.service`))],
    keepsAlive: true,
    takesMany: false,
    close: () => Promise.resolve(),
  };
}

/** Puts or deletes the table of an agent, or asks for it. Throws when the proxy does not answer with 200. */
export async function tellProxy(method: 'DELETE' | 'GET' | 'PUT', id: string, table?: AgentTable): Promise<void> {
  const sent = request({ socketPath: CONTROL, method, path: `/agents/${id}` });
  sent.end(table === undefined ? '' : JSON.stringify(table));
  const [answer] = (await once(sent, 'response')) as [IncomingMessage];
  const pieces: Buffer[] = [];
  for await (const piece of answer) pieces.push(piece as Buffer);
  if (answer.statusCode !== 200) throw new Error(`${method} ${id}: ${Buffer.concat(pieces).toString().slice(0, 300)}`);
}

async function mainPids(unit: string): Promise<readonly number[]> {
  const pid = Number(await readProgram(['systemctl', 'show', '--property=MainPID', '--value', unit]));
  return pid > 0 ? [pid] : [];
}
