import type { PlanView } from '../client/api.gen.ts';
import { escapeLines, escapeText } from './escape.ts';
import { networkText } from './network-text.ts';
import { shellLine, shellQuote } from './shell-quote.ts';
import { renderTable } from './table.ts';

/** Operands of bubblewrap's options with a number of them that the next `--` does not tell, since any text may follow. */
const OPERANDS: Readonly<Record<string, number>> = {
  '--setenv': 2,
  '--ro-bind': 2,
  '--bind': 2,
  '--symlink': 2,
  '--hostname': 1,
  '--chdir': 1,
  '--tmpfs': 1,
  '--dir': 1,
};

/** A plan for people: what systemd and bubblewrap would be told, and why. */
export function planText(plan: PlanView): string {
  const { user, network } = plan;
  const sections: readonly (readonly [title: string, text: string])[] = [
    [`Unit ${plan.unit}`, escapeLines(plan.unitText)],
    ['Sandbox', bwrapText(plan.bwrap)],
    ['Mounts', mountTable(plan)],
    ['Network', networkText(network)],
    ['Published ports', plan.published.map(({ port, listen }) => `${port} at ${escapeText(listen)}`).join('\n')],
    ['Credentials', credentialTable(plan)],
    ['User', `${user.name} (uid ${user.uid}, gid ${user.gid}): ${escapeText(user.reason)}`],
    ['Environment', environmentTable(plan)],
    ['Steps', plan.steps.map((step, index) => `${index + 1}. ${escapeText(step)}`).join('\n')],
    ['Notes', plan.notices.map((notice) => `- ${escapeText(notice)}`).join('\n')],
  ];
  const present = sections.filter(([, text]) => text !== '');
  return present.map(([title, text]) => `# ${title}\n\n${text.trimEnd()}\n`).join('\n');
}

/** A command of bubblewrap for a shell, one option with its operands to a line. */
export function bwrapText(argv: readonly string[]): string {
  const [program = '', ...words] = argv;
  const lines = [shellQuote(program)];
  for (let index = 0; index < words.length; ) {
    const option = words[index] ?? '';
    const end = option === '--' ? words.length : index + 1 + operandCount(option, words.slice(index + 1));
    lines.push(shellLine(words.slice(index, end)));
    index = end;
  }
  return lines.join(' \\\n  ');
}

function operandCount(option: string, following: readonly string[]): number {
  const known = OPERANDS[option];
  if (known !== undefined) return known;
  const next = following.findIndex((word) => word.startsWith('--'));
  return next === -1 ? following.length : next;
}

function mountTable(plan: PlanView): string {
  const rows = plan.mounts.map(({ kind, source, destination, options }) => [kind, source ?? '-', destination, options]);
  return renderTable(['KIND', 'SOURCE', 'DESTINATION', 'OPTIONS'], rows, null);
}

/** Where each key comes from and what the agent has of it; there are no values in a plan. */
function credentialTable({ credentials }: PlanView): string {
  const rows = credentials.map(({ provider, delivery, source, address, leadsTo, variable }) => [
    provider,
    delivery,
    source ?? 'no key',
    address ?? (variable === null ? '-' : `$${variable}`),
    leadsTo ?? '-',
  ]);
  return rows.length === 0 ? '' : renderTable(['PROVIDER', 'DELIVERY', 'KEY', 'AGENT USES', 'LEADS TO'], rows, null);
}

function environmentTable(plan: PlanView): string {
  const rows = plan.environment.map(({ name, value, origin }) => [name, value, origin]);
  return rows.length === 0 ? '' : renderTable(['NAME', 'VALUE', 'FROM'], rows, null);
}
