import type { PlanView } from '../../src/control/views.ts';

/** What a person needs to know of a plan to start the same sandbox by hand. */
export type HandPlan = Pick<PlanView, 'unitText' | 'bwrap' | 'user'>;

/** Keys that `systemd-run` sets itself: the command, `--collect` and `--pipe`. */
const ASIDE = ['ExecStart', 'CollectMode', 'StandardInput', 'StandardOutput', 'StandardError'];

/**
 * The sandbox of a plan as a `systemd-run` line, every property of the unit included, so that both pay for the same.
 * The user of the plan must exist.
 */
export function systemdRunLine({ unitText, bwrap }: HandPlan): readonly string[] {
  const settings = unitText
    .split('\n')
    .filter((line) => /^\w+=/.test(line) && !ASIDE.includes(line.split('=', 1)[0] ?? ''));
  return [
    ...['systemd-run', '--wait', '--pipe', '--collect'],
    // Unit files know specifiers, properties do not.
    ...settings.flatMap((line) => ['--property', line.replaceAll('%%', '%')]),
    '--',
    // systemd 252 expands variables in every command that systemd-run starts.
    ...bwrap.map((word) => word.replaceAll('$', '$$$$')),
  ];
}
