/** What came of reading a secret: its bytes, or why it cannot be used. */
export type SecretRead =
  | { readonly ok: true; readonly bytes: Uint8Array }
  | { readonly ok: false; readonly fault: SecretFault };

/** Why a secret cannot be used. Nothing of its content is in here; paths are real ones, behind all symlinks. */
export type SecretFault =
  | { readonly kind: 'absent'; readonly path: string }
  | { readonly kind: 'not-a-file'; readonly path: string; readonly what: string }
  | { readonly kind: 'too-large'; readonly path: string; readonly bytes: number }
  /** Others than root can read it. */
  | { readonly kind: 'readable'; readonly path: string; readonly mode: number }
  /** A file, a directory on the way or a symlink belongs to somebody, who can put another secret there. */
  | { readonly kind: 'foreign'; readonly path: string; readonly uid: number }
  /** The same for what others may write to. */
  | { readonly kind: 'writable'; readonly path: string; readonly mode: number }
  | { readonly kind: 'link-loop'; readonly path: string }
  /** It was written while it was read. */
  | { readonly kind: 'unstable'; readonly path: string }
  | { readonly kind: 'unreadable'; readonly path: string; readonly errno: string }
  /** No directory that systemd looks for credentials in has one of this name. */
  | { readonly kind: 'no-credential'; readonly name: string }
  | { readonly kind: 'sealed'; readonly path: string; readonly cause: 'no-program' | 'refused' | 'no-answer' };

/** What a secret's file may be. */
export interface SecretRules {
  readonly bytesMax: number;
  /** Others may read it; nobody but root may ever write it. */
  readonly mayBeReadable: boolean;
}

/** An answer that refuses. */
export function fault(refusal: SecretFault): SecretRead {
  return { ok: false, fault: refusal };
}
