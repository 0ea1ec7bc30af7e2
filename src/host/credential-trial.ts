import type { UnitProperty } from '../plan/unit-property.ts';
import type { HostClock, HostUnits } from './host.ts';

/** Time the trial may take before PID 1 ends it, microseconds. */
const TRIAL_USEC = 10_000_000n;

/**
 * Whether PID 1 can hand a credential to a unit, found out by a unit that looks
 * for one. PID 1 makes the mount for it in a namespace aside; where /run takes
 * no part in propagation (containers), the unit starts all the same and finds
 * an empty directory. `source` is any file that is not empty.
 */
export async function tryCredential(
  host: { readonly units: HostUnits; readonly clock: HostClock },
  source: string,
): Promise<boolean> {
  const unit = `agent-spawn-credential-${host.clock.randomHex(8)}.service`;
  try {
    return (await host.units.startTransient(unit, trialProperties(unit, source))) === 'done';
  } finally {
    await host.units.stop(unit);
    await host.units.resetFailed(unit);
  }
}

function trialProperties(unit: string, source: string): readonly UnitProperty[] {
  const words = ['/bin/sh', '-c', '[ -s "$1" ]', 'sh', `/run/credentials/${unit}/trial`];
  return [
    { name: 'Description', signature: 's', value: 'Check-up of agent-spawn' },
    { name: 'Type', signature: 's', value: 'oneshot' },
    { name: 'CollectMode', signature: 's', value: 'inactive' },
    { name: 'LoadCredential', signature: 'a(ss)', value: [['trial', source]] },
    { name: 'NoNewPrivileges', signature: 'b', value: true },
    { name: 'TimeoutStartUSec', signature: 't', value: TRIAL_USEC },
    { name: 'StandardOutput', signature: 's', value: 'null' },
    { name: 'ExecStartEx', signature: 'a(sasas)', value: [[words[0] ?? '', words, ['no-env-expand']]] },
  ];
}
