import { copyFileSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { succeed } from './agents.ts';
import { runCommand } from './commands.ts';

const UNIT = 'agent-egressd.service';
const DROP_IN = `/run/systemd/system/${UNIT}.d`;
/** Where the proxy can read it; /tmp and /var/tmp are its own. */
const AUTHORITY = '/run/agent-egress-test-authority.pem';

/** Has the proxy trust one authority and no other, and starts it again. No agent may run. */
export async function trustAuthority(path: string): Promise<void> {
  copyFileSync(path, AUTHORITY);
  mkdirSync(DROP_IN, { recursive: true });
  writeFileSync(join(DROP_IN, 'authority.conf'), `[Service]\nEnvironment=SSL_CERT_FILE=${AUTHORITY}\n`);
  await restart();
}

/** Has it trust again what the host trusts. */
export async function distrustAuthority(): Promise<void> {
  rmSync(DROP_IN, { recursive: true, force: true });
  rmSync(AUTHORITY, { force: true });
  await restart();
}

async function restart(): Promise<void> {
  await succeed(runCommand(['systemctl', 'daemon-reload']));
  await succeed(runCommand(['systemctl', 'restart', UNIT]));
}
