import { PORT_HOLDER_TIMEOUT_MS } from '../base/limits.ts';
import type { Host } from '../host/host.ts';
import { parseListen } from '../plan/listen.ts';
import type { UnitProperty } from '../plan/unit-property.ts';
import type { EnginePaths } from './executors.ts';

/** CAP_DAC_READ_SEARCH and CAP_SYS_PTRACE as a set (capabilities(7)): what it takes to read the descriptors of others. */
const LOOKING = (1n << 2n) | (1n << 19n);

/**
 * Who of this host listens where a port was to be published, for people; null
 * when that cannot be told. The daemon sees neither the host's sockets nor
 * other processes, so a short unit of its own looks.
 */
export async function portHolder(host: Host, paths: EnginePaths, listen: string): Promise<string | null> {
  const place = parseListen(listen);
  if (place === null || place.kind === 'unix') return null;
  const unit = `agent-publish-holder-${host.clock.randomHex(8)}.service`;
  try {
    const result = await host.units.startTransient(unit, lookProperties(paths.holderPath, place.port));
    const state = result === 'done' ? await host.units.state(unit) : null;
    return state === null || state.statusText === '' ? null : state.statusText;
  } finally {
    await host.units.stop(unit);
    await host.units.resetFailed(unit);
  }
}

/** The unit stays after its end until its status text was read. */
function lookProperties(program: string, port: number): readonly UnitProperty[] {
  return [
    { name: 'Description', signature: 's', value: `Look for who listens on port ${port}` },
    { name: 'Type', signature: 's', value: 'oneshot' },
    { name: 'RemainAfterExit', signature: 'b', value: true },
    { name: 'NotifyAccess', signature: 's', value: 'all' },
    { name: 'ExecStartEx', signature: 'a(sasas)', value: [[program, [program, String(port)], ['no-env-expand']]] },
    { name: 'TimeoutStartUSec', signature: 't', value: BigInt(PORT_HOLDER_TIMEOUT_MS) * 1000n },
    { name: 'CapabilityBoundingSet', signature: 't', value: LOOKING },
    { name: 'NoNewPrivileges', signature: 'b', value: true },
    { name: 'ProtectSystem', signature: 's', value: 'strict' },
    { name: 'RestrictAddressFamilies', signature: '(bas)', value: [true, ['AF_UNIX']] },
  ];
}
