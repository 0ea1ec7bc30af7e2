import { authorityText } from '../policy/authority.ts';
import type { Decision } from '../policy/decision.ts';
import type { RequestHead } from '../policy/request-head.ts';
import type { Endpoint } from '../policy/request-intent.ts';
import type { Connection } from './connection.ts';
import { refusalBytes } from './refuse.ts';

/** A request that is refused, as far as it was understood. */
export interface Refusal {
  readonly decision: Decision;
  readonly endpoint: Endpoint | null;
  /** Null when there is no telling where the next request would begin. */
  readonly head: RequestHead | null;
  /** Whether it was for the gateway to a model's API; default: no. */
  readonly isApi?: boolean;
}

/** Answers a refusal that is counted and written already; whether the client may go on. */
export async function sendRefusal(connection: Connection, refusal: Refusal): Promise<boolean> {
  const { decision, endpoint, head, isApi = false } = refusal;
  const keepAlive = head?.keepAlive === true && head.body.kind === 'none' && head.upgrade === null;
  const form = {
    endpoint: endpoint === null ? null : authorityText(endpoint),
    keepAlive,
    isHead: head?.method === 'HEAD',
    isApi,
  };
  await connection.send(refusalBytes(decision, form));
  return keepAlive;
}
