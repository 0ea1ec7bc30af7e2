/** One entry of the sandbox's file system view, in bubblewrap's words; source before destination. */
export type Mount =
  | { readonly kind: 'tmpfs'; readonly destination: string; readonly sizeBytes: number }
  | { readonly kind: 'ro-bind'; readonly source: string; readonly destination: string }
  | { readonly kind: 'bind'; readonly source: string; readonly destination: string }
  | { readonly kind: 'symlink'; readonly target: string; readonly destination: string }
  | { readonly kind: 'dir'; readonly destination: string }
  | { readonly kind: 'proc'; readonly destination: string }
  | { readonly kind: 'dev'; readonly destination: string }
  | { readonly kind: 'remount-ro'; readonly destination: string };

/** Where the agent sees its workspace. */
export const WORKSPACE: string = '/workspace';

/** Where the agent sees its home directory, unless that is the workspace. */
export const HOME: string = '/home/agent';
