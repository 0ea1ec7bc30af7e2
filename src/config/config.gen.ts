// Generated from schema/config.schema.json by `npm run generate`; not edited by hand.
/**
 * The daemon's own configuration, /etc/agent-spawn/config.json: JSON, at most 64 KiB. It is read when agent-spawnd starts; without the file every default holds. Beyond what this schema can say, it is also refused for a key that occurs twice, for a path of more than 4095 bytes, for a proxy that is no URL, and for a range of links whose address has bits beyond its prefix.
 */
export interface ConfigFile {
  /**
   * Where this schema is, for editors. Not read by agent-spawn.
   */
  readonly $schema?: string;
  /**
   * Where the cards of declared agents are, absolute and without ".", "..", "//" or a slash at the end; every ID.json and ID.toml in it is one.
   */
  readonly cards_dir?: string;
  /**
   * First of the uids that agents get whose workspace belongs to nobody yet. The default lies between the uids of systemd's containers and 2^31, where nobody else gives out any.
   */
  readonly uid_first?: number;
  /**
   * How many uids there are from uid_first on. The one after them is used to try out whether this host can confine an agent.
   */
  readonly uid_count?: number;
  /**
   * Kinds of address of the host that cards may publish ports on. loopback: 127.0.0.0/8 and ::1. any: every other one, too. An empty list leaves Unix sockets.
   *
   * @maxItems 2
   */
  readonly publish_addresses?: readonly ('loopback' | 'any')[];
  /**
   * Cards may use the network mode host, in which nothing is enforced.
   */
  readonly allow_host_network?: boolean;
  /**
   * Files with keys may be readable by others than their owner.
   */
  readonly allow_readable_keys?: boolean;
  /**
   * IPv4 addresses for the links of agents in the network mode veth, two for each: ADDRESS/PREFIX with a prefix from 8 to 24, for ten million links to a hundred. Nothing else may use them.
   */
  readonly veth_range?: string;
  /**
   * HTTP proxy of your network that the traffic of every agent is handed on to whose card names none; http://HOST:PORT or https://HOST:PORT. No user name or password: configurations are shown and logged. A card's own proxy comes first. In the network mode none there is nothing to hand on; in the mode host the agent's programs are told of it and nothing holds them to it.
   */
  readonly proxy?: string;
  /**
   * A declared agent that runs is restarted as soon as its card says something else, and stopped when its card goes. Otherwise a changed card holds from the next start on.
   */
  readonly restart_changed?: boolean;
  /**
   * The least important lines that agent-spawnd logs, from most detailed to fewest.
   */
  readonly log_level?: 'trace' | 'debug' | 'info' | 'warn' | 'error';
}
