import { request } from 'node:http';
import { text } from 'node:stream/consumers';
import { inTime } from './commands.ts';

const SOCKET = '/run/agent-spawn/api.sock';

/** An answer of the API. */
export interface Answer {
  readonly status: number;
  readonly body: string;
}

/** Asks the API of this host directly: a test asks often, and a command takes ten times as long as its answer. */
export function askApi(method: string, path: string, body: unknown = null): Promise<Answer> {
  return inTime(exchange(method, path, body), `the answer to ${method} ${path}`);
}

function exchange(method: string, path: string, body: unknown): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const headers = { 'content-type': 'application/json', connection: 'close' };
    const call = request({ socketPath: SOCKET, method, path: `/v1${path}`, headers, agent: false }, (answer) => {
      text(answer).then((told) => resolve({ status: answer.statusCode ?? 0, body: told }), reject);
    });
    call.on('error', reject);
    call.end(body === null ? '' : JSON.stringify(body));
  });
}

/** Asks the API for a document that must be there. */
export async function readApi<T>(path: string): Promise<T> {
  const { status, body } = await askApi('GET', path);
  if (status !== 200) throw new Error(`GET ${path} answered ${status}: ${body}`);
  return JSON.parse(body) as T;
}
