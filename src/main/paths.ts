import type { Config } from '../config/config.ts';
import type { EnginePaths } from '../sandbox/executors.ts';

/**
 * A link to the directory of the installed scripts, made anew at each start of the daemon: units name them by it. An agent
 * may outlive the package that started it, and one of Nix's is removed once the system is another one.
 */
export const PROGRAMS = '/run/agent-spawn/programs';

/** Where the daemon keeps its things, the directories of `units/agent-spawn.tmpfiles.conf`, and has its scripts. */
export function enginePaths(config: Config): EnginePaths {
  return {
    userdbDirectory: '/run/userdb',
    agentsDirectory: '/run/agent-spawn/agents',
    homesDirectory: '/run/agent-spawn/homes',
    recordsDirectory: '/run/agent-spawn/records',
    exitsDirectory: '/run/agent-spawn/exits',
    attachDirectory: '/run/agent-spawn/attach',
    streamsDirectory: '/run/agent-spawn/streams',
    unitsDirectory: '/run/systemd/system',
    cardsDirectory: config.cardsDirectory,
    uidsFile: '/var/lib/agent-spawn/uids.json',
    refusePath: `${PROGRAMS}/refuse`,
    holderPath: `${PROGRAMS}/holder`,
  };
}
