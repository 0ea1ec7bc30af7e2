import type { SystemFacts } from './facts.ts';
import { WORKSPACE } from './mount.ts';
import { searchPath } from './search-path.ts';

/** One variable of the agent's environment and where it came from. */
export interface EnvironmentVariable {
  readonly name: string;
  readonly value: string;
  /** `sandbox`, or the JSON pointer of the card key that set it. */
  readonly origin: string;
}

/** Inputs of the environment; nothing is inherited from anybody. */
export interface EnvironmentInput {
  readonly id: string;
  readonly user: string;
  /** Home directory inside the sandbox. */
  readonly home: string;
  /** The card's `environment`. */
  readonly environment: Readonly<Record<string, string>>;
  readonly system: Pick<SystemFacts, 'certificateBundle' | 'etc' | 'profile'>;
  /** Directories put in front of the ordinary search path. */
  readonly programDirectories: readonly string[];
  /** URL of the proxy that programs shall use, or null. */
  readonly proxyUrl: string | null;
  /** What leads the agent's program to its model, and how it behaves there. */
  readonly program: Readonly<Record<string, string>>;
}

/** Where a NixOS has its time zones, which its programs know from TZDIR alone (nixos/modules/config/locale.nix). */
const ZONES = '/etc/zoneinfo';

/** The whole environment, sorted by name; a variable of the card replaces ours of the same name. */
export function planEnvironment(input: EnvironmentInput): readonly EnvironmentVariable[] {
  const { home, system } = input;
  const ours: Record<string, string> = {
    AGENT_ID: input.id,
    AGENT_WORKSPACE: WORKSPACE,
    HOME: home,
    LANG: 'C.UTF-8',
    LOGNAME: input.user,
    PATH: [...input.programDirectories, ...searchPath(system)].join(':'),
    PWD: WORKSPACE,
    SHELL: '/bin/sh',
    TMPDIR: '/tmp',
    USER: input.user,
    XDG_CACHE_HOME: `${home}/.cache`,
    XDG_CONFIG_HOME: `${home}/.config`,
    XDG_DATA_HOME: `${home}/.local/share`,
    XDG_STATE_HOME: `${home}/.local/state`,
  };
  if (system.certificateBundle !== null) {
    ours['SSL_CERT_FILE'] = system.certificateBundle;
    ours['NIX_SSL_CERT_FILE'] = system.certificateBundle;
  }
  if (system.etc.some(({ path }) => path === ZONES)) ours['TZDIR'] = ZONES;
  if (system.profile !== null && system.profile.localeArchive !== null) {
    ours['LOCALE_ARCHIVE'] = system.profile.localeArchive;
  }
  if (input.proxyUrl !== null) Object.assign(ours, proxyVariables(input.proxyUrl));
  Object.assign(ours, input.program);
  const variables = new Map<string, EnvironmentVariable>();
  for (const [name, value] of Object.entries(ours)) variables.set(name, { name, value, origin: 'sandbox' });
  for (const [name, value] of Object.entries(input.environment)) {
    variables.set(name, { name, value, origin: `/environment/${name}` });
  }
  return [...variables.values()].sort((a, b) => (a.name < b.name ? -1 : 1));
}

/** What never goes through a proxy: the agent's own servers. */
const NO_PROXY = 'localhost,127.0.0.1,::1';

/**
 * How programs find the proxy. There is no standard: curl reads the small
 * names only, some others the large ones, and Node wants to be told (from 22.21).
 */
function proxyVariables(url: string): Record<string, string> {
  return {
    HTTP_PROXY: url,
    HTTPS_PROXY: url,
    NO_PROXY,
    NODE_USE_ENV_PROXY: '1',
    http_proxy: url,
    https_proxy: url,
    no_proxy: NO_PROXY,
  };
}
