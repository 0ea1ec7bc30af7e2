import { lstat } from 'node:fs/promises';
import { connect } from 'node:net';
import { SOCKET_ANSWER_TIMEOUT_MS } from '../base/limits.ts';
import type { SocketFacts } from '../plan/facts.ts';
import { errnoOf, unless } from './call-failed.ts';
import { probePath } from './path-facts.ts';
import type { UserNames } from './user-names.ts';

/** Looks at the place of a Unix socket, and asks a socket that is there whether anybody listens. */
export async function probeSocket(path: string, users: Pick<UserNames, 'find'>): Promise<SocketFacts> {
  const facts = await probePath(path, users);
  const stat = facts.kind === 'other' ? await unless(['ENOENT', 'ENOTDIR'], lstat(path)) : null;
  const isSocket = stat?.isSocket() === true;
  return { path: facts, isSocket, isAnswered: isSocket && (await isAnswered(path)) };
}

/** Only a refused connection says that nobody listens; a full queue or another kind of socket does not. */
function isAnswered(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(path);
    const answer = (value: boolean): void => {
      socket.destroy();
      resolve(value);
    };
    socket.setTimeout(SOCKET_ANSWER_TIMEOUT_MS, () => answer(true));
    socket.once('connect', () => answer(true));
    socket.once('error', (error) => answer(errnoOf(error) !== 'ECONNREFUSED' && errnoOf(error) !== 'ENOENT'));
  });
}
