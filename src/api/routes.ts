import type { Call, Reply } from './call.ts';
import { parseEgressChange, parseLaunchRequest } from './request.ts';
import { auditStream, followAgent } from './stream.ts';

/** One operation of the API. */
export interface Route {
  readonly method: 'GET' | 'POST' | 'DELETE';
  /** Path as in the description, with `{id}` for an agent. */
  readonly path: string;
  /** Media type of the body it takes, or null for none. */
  readonly body: 'application/json' | 'application/octet-stream' | null;
  /** Query keys it knows. */
  readonly query: Readonly<Record<string, QueryKey>>;
  readonly answer: (call: Call) => Promise<Reply>;
}

/** One key of a query. */
export interface QueryKey {
  readonly values: readonly string[];
  readonly isRequired: boolean;
}

/** Every operation of the API; a test holds the table and `schema/api.openapi.json` together. */
export const ROUTES: readonly Route[] = [
  route('GET', '/v1/version', async ({ operations }) => json(operations.version())),
  route('GET', '/v1/agents', listAgents, { query: { ended: { values: ['true', 'false'], isRequired: false } } }),
  route('POST', '/v1/agents', launchAgent, { body: 'application/json' }),
  route('POST', '/v1/plans', makePlan, { body: 'application/json' }),
  route('POST', '/v1/reload', async ({ operations, caller }) => json(await operations.reload(caller))),
  route('GET', '/v1/agents/{id}', async ({ operations, id }) => json(await operations.get(id))),
  route('DELETE', '/v1/agents/{id}', removeAgent),
  route('GET', '/v1/agents/{id}/inspect', async ({ operations, id }) => json(await operations.inspect(id))),
  route('POST', '/v1/agents/{id}/start', async ({ operations, id, caller }) =>
    json(await operations.start(id, caller)),
  ),
  route('POST', '/v1/agents/{id}/stop', async ({ operations, id, caller }) => json(await operations.stop(id, caller))),
  route('POST', '/v1/agents/{id}/restart', async ({ operations, id, caller }) =>
    json(await operations.restart(id, caller)),
  ),
  route('GET', '/v1/agents/{id}/wait', async ({ operations, id, signal }) => json(await operations.wait(id, signal))),
  route('POST', '/v1/agents/{id}/hold', holdAgent),
  route('POST', '/v1/agents/{id}/output', copyOutput, {
    body: 'application/octet-stream',
    query: { stream: { values: ['stdout', 'stderr'], isRequired: true } },
  }),
  route('GET', '/v1/agents/{id}/audit', readAudit, {
    query: {
      denied: { values: ['true', 'false'], isRequired: false },
      follow: { values: ['true', 'false'], isRequired: false },
    },
  }),
  route('GET', '/v1/agents/{id}/audit/verify', async ({ operations, id }) => json(await operations.checkAudit(id))),
  route('POST', '/v1/agents/{id}/credentials/reload', async ({ operations, id, caller }) =>
    json(await operations.reloadCredentials(id, caller)),
  ),
  route('GET', '/v1/agents/{id}/egress', async ({ operations, id }) => json(await operations.egress(id))),
  route('POST', '/v1/agents/{id}/egress', changeEgress, { body: 'application/json' }),
];

function route(
  method: Route['method'],
  path: string,
  answer: Route['answer'],
  options: Partial<Pick<Route, 'body' | 'query'>> = {},
): Route {
  return { method, path, answer, body: null, query: {}, ...options };
}

function json(value: unknown, status: 200 | 201 = 200): Reply {
  return { kind: 'json', status, value };
}

async function listAgents({ operations, query }: Call): Promise<Reply> {
  return json(operations.list({ ended: query.get('ended') === 'true' }));
}

async function launchAgent(call: Call): Promise<Reply> {
  const request = parseLaunchRequest(call.body);
  const agent = await call.operations.launch(request, call.caller);
  return request.attach === null ? json(agent, 201) : { kind: 'events', events: followAgent(call, agent) };
}

async function makePlan({ operations, body }: Call): Promise<Reply> {
  return json(await operations.plan(parseLaunchRequest(body)));
}

async function removeAgent({ operations, id, caller }: Call): Promise<Reply> {
  await operations.remove(id, caller);
  return { kind: 'empty' };
}

async function holdAgent(call: Call): Promise<Reply> {
  return { kind: 'events', events: followAgent(call, await call.operations.get(call.id)) };
}

async function copyOutput({ operations, id, query, body }: Call): Promise<Reply> {
  await operations.copyOutput(id, body, query.get('stream') === 'stderr' ? 'stderr' : 'stdout');
  return { kind: 'empty' };
}

async function readAudit({ operations, id, query, signal }: Call): Promise<Reply> {
  const follow = query.get('follow') === 'true' ? signal : null;
  const entries = await operations.audit(id, { denied: query.get('denied') === 'true', follow });
  return { kind: 'events', events: auditStream(entries) };
}

async function changeEgress({ operations, id, body, caller }: Call): Promise<Reply> {
  return json(await operations.changeEgress(id, parseEgressChange(body), caller), 201);
}
