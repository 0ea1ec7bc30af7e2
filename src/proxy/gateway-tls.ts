import { isIP, type Socket } from 'node:net';
import { connect, type TLSSocket } from 'node:tls';
import { EGRESS_BUFFER_BYTES, EGRESS_UPSTREAM_TIMEOUT_MS } from '../base/limits.ts';
import type { Decision } from '../policy/decision.ts';
import type { GatewayBase } from '../policy/table.ts';
import { Deadline } from './deadline.ts';
import { denial } from './refuse.ts';
import type { Surroundings } from './surroundings.ts';

/** What is needed to speak TLS with an API. */
export interface SecureOptions {
  readonly base: GatewayBase;
  /** `host:port`, for messages. */
  readonly endpoint: string;
  readonly surroundings: Surroundings;
  /** Told of the new socket at once. */
  readonly attach: (socket: Socket) => void;
}

/** TLS to an API, whose certificate must be for its host and from an authority that this machine trusts; or why not. */
export async function secureApi(socket: Socket, options: SecureOptions): Promise<TLSSocket | Decision> {
  const { base, endpoint, surroundings, attach } = options;
  const secureContext = contextOf(surroundings);
  if (secureContext === null) {
    socket.destroy();
    const message = `Nobody can vouch for ${endpoint}: the certificates that this machine trusts cannot be read.`;
    return denial('egress.certificate', message);
  }
  const { host } = base;
  // The types do not know that a socket takes the options of a stream.
  const tls = {
    socket,
    host,
    ...(isIP(host) === 0 ? { servername: host } : {}),
    secureContext,
    ALPNProtocols: ['http/1.1'],
    highWaterMark: EGRESS_BUFFER_BYTES,
  };
  const secured = connect(tls);
  attach(secured);
  return await new Promise((resolve) => {
    const deadline = new Deadline(surroundings.clock, EGRESS_UPSTREAM_TIMEOUT_MS);
    const settle = (outcome: TLSSocket | Decision): void => {
      deadline[Symbol.dispose]();
      if ('verdict' in outcome) {
        secured.destroy();
        socket.destroy();
      }
      resolve(outcome);
    };
    const fail = (): void => settle(denial('egress.certificate', failure(endpoint, secured)));
    deadline.listen(() =>
      settle(denial('egress.upstream-timeout', `${endpoint} did not finish the TLS handshake in time.`)),
    );
    secured.once('secureConnect', () => (secured.authorized ? settle(secured) : fail()));
    // Stays: whatever breaks later is seen by whoever uses it.
    secured.on('error', fail);
    secured.once('close', fail);
  });
}

function contextOf({ trust }: Surroundings): ReturnType<Surroundings['trust']['context']> | null {
  try {
    return trust.context();
  } catch {
    // Whom to trust is not known: nobody.
    return null;
  }
}

function failure(endpoint: string, { authorizationError }: TLSSocket): string {
  // Node says an Error here and is a code.
  const code = String(authorizationError ?? '');
  if (code === '') return `The TLS handshake with ${endpoint} failed.`;
  const shown = /^[0-9A-Z_]{1,64}$/.test(code) ? ` (${code})` : '';
  return `${endpoint} did not prove to be who is meant: its certificate is not valid for it on this machine${shown}.`;
}
