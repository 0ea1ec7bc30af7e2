import { problemsError } from '../base/errors.ts';
import { quote } from '../base/quote.ts';
import type { EgressView } from '../client/api.gen.ts';
import { renderSquid } from '../policy/export-squid.ts';
import { renderTinyproxy, TINYPROXY_FILTER_PATH } from '../policy/export-tinyproxy.ts';
import { compilePolicy } from '../policy/rules.ts';

/** Proxies that rules can be written out for. */
export const EXPORT_FORMATS = ['squid', 'tinyproxy'] as const;

/** One file of the configuration of another proxy. */
export interface ExportedFile {
  /** Where the proxy expects it; null for what goes into its own configuration file. */
  readonly path: string | null;
  readonly text: string;
}

/** What an agent may reach. */
export type Rules = Pick<EgressView, 'allow' | 'deny'>;

/** The rules of an agent or a card as configuration of another proxy. Throws when this version does not understand a rule. */
export function exportEgress(format: string, subject: string, { allow, deny }: Rules): readonly ExportedFile[] {
  const policy = compilePolicy({ allow, deny });
  if (!policy.ok) throw problemsError(policy.problems, `the rules of ${quote(subject)}`);
  if (format === 'squid') return [{ path: null, text: renderSquid(policy.value) }];
  const { configuration, filter } = renderTinyproxy(policy.value);
  return [
    { path: null, text: configuration },
    { path: TINYPROXY_FILTER_PATH, text: filter },
  ];
}

/** The files one below the other, each but the first below a line that names it. */
export function exportedText(files: readonly ExportedFile[]): string {
  return files.map(({ path, text }) => (path === null ? text : `\n# ${path}:\n${text}`)).join('');
}
