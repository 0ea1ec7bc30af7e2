import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { PROVIDERS } from '../../src/policy/provider.ts';
import type { AgentTable } from '../../src/policy/table.ts';
import type { Route } from './egress-route.ts';
import { API_HOST } from './gateway-order.ts';
import { OWN_UNIT, relayRoute, socketRoute, tellProxy } from './own-proxy.ts';
import { readProgram } from './program.ts';

/** Names of the ways to the API. */
export const GATEWAY_ROUTES = { direct: 'direct', socket: 'gateway', relay: 'gateway, relay' } as const;

const AGENT = 'bench-gateway';

/** Settings of the proxy's unit that last until the private host ends. */
const DROP_IN = `/run/systemd/system/${OWN_UNIT}.d`;

/** Until the daemon has told a proxy that was started again about its agents. */
const DEADLINE_MS = 20_000;
const PAUSE_MS = 20;

/** Where the API is. */
export interface ApiPlace {
  readonly port: number;
  /** Path of its certificate, which the proxy is to trust. */
  readonly certificate: string;
}

/** The API itself, and an agent's gateway to it at its socket and through its relay; `holder` is an agent of the daemon's. */
export async function openGatewayRoutes(api: ApiPlace, holder: string): Promise<readonly Route[]> {
  await restartProxy(`Environment=SSL_CERT_FILE=${api.certificate}`, holder);
  await tellProxy('PUT', AGENT, tableFor(api));
  const direct: Route = {
    name: GATEWAY_ROUTES.direct,
    description: 'the client speaks TLS to the API itself',
    vias: [null],
    wrap: (argv) => argv,
    pids: () => Promise.resolve([]),
    keepsAlive: true,
    takesMany: false,
    close: () => Promise.resolve(),
  };
  const title = { name: GATEWAY_ROUTES.socket, description: "agent-egressd at its agent's Unix socket" };
  const socket = socketRoute(title, [AGENT]);
  const description = "the same from the agent's network namespace, through systemd-socket-proxyd";
  return [
    direct,
    { ...socket, close: () => socket.close().finally(removeDropIn) },
    relayRoute({ name: GATEWAY_ROUTES.relay, description }, AGENT),
  ];
}

/** Starts the proxy again with another setting; resolves when the daemon has told it everything. */
async function restartProxy(setting: string, holder: string): Promise<void> {
  mkdirSync(DROP_IN, { recursive: true });
  writeFileSync(join(DROP_IN, 'bench.conf'), `[Service]\n${setting}\n`);
  await readProgram(['systemctl', 'daemon-reload']);
  await readProgram(['systemctl', 'restart', OWN_UNIT]);
  const deadline = performance.now() + DEADLINE_MS;
  for (;;) {
    try {
      return await tellProxy('GET', holder);
    } catch (error) {
      if (performance.now() > deadline) throw error;
      await sleep(PAUSE_MS);
    }
  }
}

function removeDropIn(): void {
  rmSync(DROP_IN, { recursive: true, force: true });
}

function tableFor({ port }: ApiPlace): AgentTable {
  const { mount, field, keyPrefix } = PROVIDERS.anthropic;
  const gateway = {
    provider: 'anthropic',
    mount,
    base: { scheme: 'https', host: API_HOST, port, path: '' },
    field,
    username: null,
    // As long as real ones: it is looked for in every answer.
    key: `${keyPrefix}${'k3Y-'.repeat(24)}AA`,
    placeholder: `${keyPrefix}agentspawn${'0123456789abcdef'.repeat(3).slice(0, 40)}`,
    pointer: '/api_key_file',
  } as const;
  return {
    id: AGENT,
    policy: { allow: [], deny: [] },
    upstream: null,
    caps: { maxBytes: null, requestsPerMinute: null },
    gateways: [gateway],
    budget: { requests: null, tokens: null },
  };
}
