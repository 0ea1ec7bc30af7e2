import { SpawnError } from '../base/errors.ts';

/** The failure of a system call or of anything else the machine refused: operation, object and cause in one sentence. */
export function callFailed(operation: string, cause: unknown): SpawnError {
  if (cause instanceof SpawnError) return cause;
  const text = cause instanceof Error ? cause.message : String(cause);
  return new SpawnError('host.call-failed', `${operation} failed: ${text}`, { cause });
}

/** The errno name of a failed system call (`ENOENT`), or null for anything else. */
export function errnoOf(error: unknown): string | null {
  if (!(error instanceof Error) || !('code' in error)) return null;
  return typeof error.code === 'string' ? error.code : null;
}

/** The value, or null when the call failed with one of these errno names. */
export async function unless<T>(errnos: readonly string[], call: Promise<T>): Promise<T | null> {
  try {
    return await call;
  } catch (error) {
    const errno = errnoOf(error);
    if (errno !== null && errnos.includes(errno)) return null;
    throw error;
  }
}
