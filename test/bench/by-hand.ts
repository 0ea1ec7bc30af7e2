import type { PlanView } from '../../src/control/views.ts';

/** What a person needs to know of a plan to start the same sandbox by hand. */
export type HandPlan = Pick<PlanView, 'unitText' | 'bwrap' | 'user'>;

/** Keys that `systemd-run` sets itself: the command, `--collect` and `--pipe`. */
const ASIDE = ['ExecStart', 'CollectMode', 'StandardInput', 'StandardOutput', 'StandardError'];

/**
 * The sandbox of a plan as a `systemd-run` line, with the command and every property of the unit, so that both pay for
 * the same. The user of the plan must exist.
 */
export function systemdRunLine(unitText: string): readonly string[] {
  const settings = unitText.split('\n').filter((line) => /^\w+=/.test(line));
  const properties = settings.filter((line) => !ASIDE.includes(keyOf(line)));
  const command = settings.find((line) => keyOf(line) === 'ExecStart') ?? '';
  return [
    ...['systemd-run', '--wait', '--pipe', '--collect'],
    // Unit files know specifiers, properties do not.
    ...properties.flatMap((line) => ['--property', line.replaceAll('%%', '%')]),
    '--',
    // systemd 252 expands variables in every command that systemd-run starts.
    ...commandWords(command.slice('ExecStart='.length)).map((word) => word.replaceAll('$', '$$$$')),
  ];
}

function keyOf(setting: string): string {
  return setting.split('=', 1)[0] ?? '';
}

/** Words of a command line as `exec-line.ts` writes it, prefixes left out. */
function commandWords(line: string): readonly string[] {
  const words = line.replace(/^[-+:]+/, '').match(/"(?:[^"\\]|\\.)*"|\S+/g) ?? [];
  return words.map((word) => (word.startsWith('"') ? unescaped(word.slice(1, -1)) : word).replaceAll('%%', '%'));
}

const ESCAPES: Readonly<Record<string, string>> = { n: '\n', t: '\t' };

function unescaped(text: string): string {
  return text.replace(/\\(?:x([0-9a-f]{2})|(.))/g, (_all, hex: string | undefined, letter: string) =>
    hex === undefined ? (ESCAPES[letter] ?? letter) : String.fromCharCode(Number.parseInt(hex, 16)),
  );
}
