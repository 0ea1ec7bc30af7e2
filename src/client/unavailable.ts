import { SpawnError } from '../base/errors.ts';
import { callingGroup } from './calling-group.ts';

/** Why the daemon could not be reached, with what helps in each case: `control.unavailable`, or `control.forbidden`. */
export function unavailable(cause: unknown, socketPath: string): SpawnError {
  const code = (cause as NodeJS.ErrnoException).code ?? '';
  if (code === 'EACCES' || code === 'EPERM') return notLet(cause, socketPath);
  const { reason, remedy } = describe(code);
  return new SpawnError('control.unavailable', `The daemon cannot be reached at ${socketPath}: ${reason}.`, {
    remedy,
    cause,
  });
}

/** The daemon went away in the middle of an answer. */
export function connectionLost(cause: unknown, socketPath: string): SpawnError {
  return new SpawnError(
    'control.unavailable',
    `The daemon at ${socketPath} closed the connection before it answered.`,
    {
      remedy: 'systemctl status agent-spawnd',
      cause,
    },
  );
}

/** The socket's mode says who may call: root, and the members of one group where the host names one. */
function notLet(cause: unknown, socketPath: string): SpawnError {
  const group = callingGroup(socketPath);
  const callers = group === null ? 'root' : `root and members of the group "${group}"`;
  const login = group === null ? '' : `, or as a member of "${group}" (who is new there logs in again first)`;
  return new SpawnError('control.forbidden', `The daemon at ${socketPath} may be called by ${callers} only.`, {
    remedy: `Run the command as root, for example with sudo${login}.`,
    cause,
  });
}

function describe(code: string): { readonly reason: string; readonly remedy: string } {
  switch (code) {
    case 'ENOENT':
    case 'ENOTDIR':
      return {
        reason: 'there is no such socket',
        remedy: 'Install the daemon with `npm run -s install-system`, or use `npm start`, which needs no installation.',
      };
    case 'ECONNREFUSED':
      return { reason: 'nobody listens there', remedy: 'systemctl status agent-spawnd.socket agent-spawnd.service' };
    case 'EAGAIN':
      return { reason: 'too many callers wait there', remedy: 'Try again later.' };
    default:
      return { reason: code === '' ? 'unknown reason' : code, remedy: 'systemctl status agent-spawnd' };
  }
}
