import { SpawnError } from '../base/errors.ts';

/** Why the daemon could not be reached, with what helps in each case. */
export function unavailable(cause: unknown, socketPath: string): SpawnError {
  const code = (cause as NodeJS.ErrnoException).code ?? '';
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

function describe(code: string): { readonly reason: string; readonly remedy: string } {
  switch (code) {
    case 'ENOENT':
    case 'ENOTDIR':
      return {
        reason: 'there is no such socket',
        remedy: 'Install the daemon with `npm run -s install-system`, or use `npm start`, which needs no installation.',
      };
    case 'EACCES':
    case 'EPERM':
      return { reason: 'permission denied', remedy: 'Run the command as root, for example with sudo.' };
    case 'ECONNREFUSED':
      return { reason: 'nobody listens there', remedy: 'systemctl status agent-spawnd.socket agent-spawnd.service' };
    case 'EAGAIN':
      return { reason: 'too many callers wait there', remedy: 'Try again later.' };
    default:
      return { reason: code === '' ? 'unknown reason' : code, remedy: 'systemctl status agent-spawnd' };
  }
}
