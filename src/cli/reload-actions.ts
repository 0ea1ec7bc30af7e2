import type { ApiClient } from '../client/api-client.ts';
import { checkedId, show } from './control-ground.ts';
import type { ControlActions, ControlOptions } from './control-program.ts';
import { credentialsText } from './credentials-text.ts';
import { reloadText } from './reload-text.ts';

/** The commands that have the daemon read something again. */
export function reloadActions(
  client: (options: ControlOptions) => ApiClient,
): Pick<ControlActions, 'credential' | 'reload'> {
  return {
    credential: async (_, options, id) =>
      show(options, await client(options).reloadCredentials(checkedId(id)), credentialsText),
    reload: async (_, options) => show(options, await client(options).reload(), reloadText),
  };
}
