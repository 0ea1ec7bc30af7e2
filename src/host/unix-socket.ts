import type { Socket } from 'node:net';
import { SpawnError } from '../base/errors.ts';
import { callFailed } from './call-failed.ts';
import { loadNative, type PeerCredentials } from './native.ts';

/** First descriptor that PID 1 passes (SD_LISTEN_FDS_START, sd_listen_fds(3)). */
const FIRST_FD = 3;

/** The variables of socket activation, as values. */
export interface ListenVariables {
  readonly LISTEN_PID?: string | undefined;
  readonly LISTEN_FDS?: string | undefined;
  readonly LISTEN_FDNAMES?: string | undefined;
}

/** A listening socket that PID 1 passed. */
export interface PassedSocket {
  readonly fd: number;
  /** FileDescriptorName= of the socket unit; by default the unit's name. */
  readonly name: string;
}

/**
 * The sockets that were passed to the process `pid`; none when the variables
 * are absent or meant for another process. Throws `host.call-failed` when they
 * make no sense. The caller unsets the variables, so that no child believes them.
 */
export function passedSockets(variables: ListenVariables, pid: number): readonly PassedSocket[] {
  const { LISTEN_PID, LISTEN_FDS, LISTEN_FDNAMES } = variables;
  if (LISTEN_PID === undefined || LISTEN_FDS === undefined || LISTEN_PID !== String(pid)) return [];
  if (!/^\d{1,4}$/.test(LISTEN_FDS)) {
    throw new SpawnError('host.call-failed', `LISTEN_FDS is no number of sockets: ${JSON.stringify(LISTEN_FDS)}`);
  }
  const names = LISTEN_FDNAMES === undefined ? [] : LISTEN_FDNAMES.split(':');
  return Array.from({ length: Number(LISTEN_FDS) }, (_, index) => ({
    fd: FIRST_FD + index,
    name: names[index] ?? 'unknown',
  }));
}

/** The descriptor of a socket, which Node keeps to itself; the name has been the same since Node 0.10. */
interface Handled {
  readonly _handle?: { readonly fd?: number } | null;
}

/**
 * Asks who connected, as the kernel saw it at connect(2). Resolves once the
 * native call is loaded; asking throws `host.call-failed` when the connection
 * is gone already.
 */
export async function openPeerReader(): Promise<(socket: Socket) => PeerCredentials> {
  const native = await loadNative();
  return (socket) => {
    const fd = (socket as unknown as Handled)._handle?.fd;
    if (fd === undefined || fd < 0)
      throw new SpawnError('host.call-failed', 'The peer of a closed connection cannot be told.');
    try {
      return native.peerCredentials(fd);
    } catch (error) {
      throw callFailed('asking for the peer of a connection', error);
    }
  };
}
