import { SpawnError } from '../base/errors.ts';
import { quote } from '../base/quote.ts';
import type { ApiClient } from '../client/api-client.ts';
import { showAudit } from './audit-show.ts';
import { ruleLine } from './audit-text.ts';
import { readCardText } from './card-file.ts';
import { checkedId, show } from './control-ground.ts';
import type { ControlActions, ControlOptions } from './control-program.ts';
import { exportEgress, exportedText, type Rules } from './egress-export.ts';
import { escapeText } from './escape.ts';

/** The commands about what agents may reach and what they tried to. */
type EgressActions = Pick<ControlActions, 'audit' | 'allow' | 'deny' | 'export'>;

/** What these commands do, asking the daemon that `client` finds. */
export function egressActions(client: (options: ControlOptions) => ApiClient): EgressActions {
  const change =
    (action: 'allow' | 'deny'): ControlActions['allow'] =>
    async (id, options, host) =>
      show(options, await client(options).changeEgress(checkedId(id), { action, host }), (rule) =>
        ruleLine(id, action, rule),
      );
  return {
    audit: async (word, options, second) => {
      if (second === '') return showEvents(client(options), checkedId(word), options);
      if (word !== 'verify') throw tooMany(second);
      return verify(client(options), checkedId(second), options);
    },
    allow: change('allow'),
    deny: change('deny'),
    export: async (format, options, subject) =>
      show(options, exportEgress(format, subject, await findRules(client(options), subject)), exportedText),
  };
}

/** Rules of an agent, or of a card: whatever cannot be an id is a path. */
async function findRules(client: ApiClient, subject: string): Promise<Rules> {
  if (!/[./]|^-$/.test(subject)) return client.egress(checkedId(subject));
  const { network } = await client.plan({ card: await readCardText(subject), arguments: [], attach: null });
  return network.egress ?? { allow: [], deny: [], upstream: null, upstreamFrom: null };
}

async function showEvents(client: ApiClient, id: string, options: ControlOptions): Promise<number> {
  const { denied, follow, json } = options;
  await showAudit(client, id, { denied: denied === true, follow: follow === true, isJson: json === true });
  return 0;
}

async function verify(client: ApiClient, id: string, options: ControlOptions): Promise<number> {
  const check = await client.checkAudit(id);
  await show(options, check, ({ agent, message }) => `agent ${agent}: ${escapeText(message)}\n`);
  return check.isIntact ? 0 : 1;
}

function tooMany(word: string): SpawnError {
  return new SpawnError('cli.usage', `${quote(word)} is one argument too many.`, {
    remedy: "Try 'agentctl audit --help'.",
  });
}
