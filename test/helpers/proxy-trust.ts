import { copyFileSync, rmSync } from 'node:fs';
import { dropIn, removeDropIn } from './unit-drop-in.ts';

const UNIT = 'agent-egressd.service';
/** Where the proxy can read it; /tmp and /var/tmp are its own. */
const AUTHORITY = '/run/agent-egress-test-authority.pem';

/** Has the proxy trust one authority and no other, with more settings for its unit, and starts it again. No agent may run. */
export async function trustAuthority(path: string, ...settings: readonly string[]): Promise<void> {
  copyFileSync(path, AUTHORITY);
  await dropIn(UNIT, `Environment=SSL_CERT_FILE=${AUTHORITY}`, ...settings);
}

/** Has it trust again what the host trusts. */
export async function distrustAuthority(): Promise<void> {
  rmSync(AUTHORITY, { force: true });
  await removeDropIn(UNIT);
}
