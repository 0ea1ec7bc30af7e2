import type { Config } from '../config/config.ts';
import type { EnginePaths } from '../sandbox/executors.ts';

/** Where the daemon keeps its things, the directories of `units/agent-spawn.tmpfiles.conf`, and has its scripts. */
export function enginePaths(config: Config, installed: string): EnginePaths {
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
    refusePath: `${installed}/refuse`,
    holderPath: `${installed}/holder`,
  };
}
