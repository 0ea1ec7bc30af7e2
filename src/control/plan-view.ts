import type { Mount } from '../plan/mount.ts';
import { type Plan, unitText } from '../plan/plan.ts';
import { describeStep } from '../plan/step.ts';
import type { MountView, PlanView } from './views.ts';

/** A plan for people and machines. */
export function planView(plan: Plan): PlanView {
  return {
    id: plan.id,
    unit: plan.unit,
    unitText: unitText(plan, []),
    bwrap: plan.bwrap,
    mounts: plan.mounts.map(mountView),
    environment: plan.environment,
    network: { mode: plan.network.mode, explanation: plan.network.explanation },
    user: plan.user,
    steps: [...plan.preparation.map(describeStep), `start ${plan.unit}`],
    notices: plan.notices,
  };
}

function mountView(mount: Mount): MountView {
  const { kind, destination } = mount;
  switch (kind) {
    case 'bind':
      return { kind, source: mount.source, destination, options: 'rw,nosuid,nodev' };
    case 'ro-bind':
      return { kind, source: mount.source, destination, options: 'ro,nosuid,nodev' };
    case 'tmpfs':
      return { kind, source: null, destination, options: `size=${mount.sizeBytes}` };
    case 'symlink':
      return { kind, source: mount.target, destination, options: '' };
    case 'dir':
    case 'proc':
    case 'dev':
    case 'remount-ro':
      return { kind, source: null, destination, options: '' };
  }
}
