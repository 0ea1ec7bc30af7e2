import { problemsError } from '../base/errors.ts';
import { quote } from '../base/quote.ts';
import type { EgressView } from '../client/api.gen.ts';
import { renderSquid } from '../policy/export-squid.ts';
import { renderTinyproxy, TINYPROXY_FILTER_PATH } from '../policy/export-tinyproxy.ts';
import { compilePolicy } from '../policy/rules.ts';
import { escapeText } from './escape.ts';

/** Proxies that rules can be written out for. */
export const EXPORT_FORMATS = ['squid', 'tinyproxy'] as const;

/** One file of the configuration of another proxy. */
export interface ExportedFile {
  /** Where the proxy expects it; null for what goes into its own configuration file. */
  readonly path: string | null;
  readonly text: string;
}

/** What an agent may reach. */
export type Rules = Pick<EgressView, 'allow' | 'deny' | 'upstream' | 'upstreamFrom'>;

/** The rules of an agent or a card as configuration of another proxy. Throws when this version does not understand a rule. */
export function exportEgress(format: string, subject: string, rules: Rules): readonly ExportedFile[] {
  const { allow, deny } = rules;
  const policy = compilePolicy({ allow, deny });
  if (!policy.ok) throw problemsError(policy.problems, `the rules of ${quote(subject)}`);
  if (format === 'squid') return [{ path: null, text: wayText(rules) + renderSquid(policy.value) }];
  const { configuration, filter } = renderTinyproxy(policy.value);
  return [
    { path: null, text: wayText(rules) + configuration },
    { path: TINYPROXY_FILTER_PATH, text: filter },
  ];
}

/** A comment that says which proxy stands behind the agent now: the one that most likely gets the rules. */
function wayText({ upstream, upstreamFrom }: Rules): string {
  if (upstream === null) return '';
  const from = upstreamFrom === 'config.json' ? 'config.json' : 'its card';
  return `# The upstream proxy of the agent is ${escapeText(upstream)} (from ${from}).\n`;
}

/** The files one below the other, each but the first below a line that names it. */
export function exportedText(files: readonly ExportedFile[]): string {
  return files.map(({ path, text }) => (path === null ? text : `\n# ${path}:\n${text}`)).join('');
}
