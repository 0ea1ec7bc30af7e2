// Generated from schema/agent-card.schema.json by `npm run generate`; not edited by hand.
/**
 * Declares one AI agent: where it works, what it runs, and what it may use. A card is JSON or TOML, at most 256 KiB, at most 16 levels deep. Beyond what this schema can say, a card is also refused for a key that occurs twice, for a path of more than 4095 bytes, for memory_high_mb above memory_mb, for two published ports with one listening address, and for network keys that contradict the network mode or each other.
 */
export interface Card {
  /**
   * Where this schema is, for editors. Not read by agent-spawn.
   */
  readonly $schema?: string;
  /**
   * Name of the agent: lower-case letters, digits and inner hyphens, 1 to 48 characters. It names the unit sandboxed-agent@ID.service, the user and the host name, each of which must stay valid and readable at this length. A card in the cards directory must be named ID.json or ID.toml.
   */
  readonly agent_id: string;
  /**
   * Directory that the agent may change, absolute and without ".", "..", "//" or a slash at the end; the agent sees it as /workspace. It is made when it is missing. A directory that belongs to a real user keeps its owner, and the agent runs as that user. Directories of the system are refused: they would become the agent's to change.
   */
  readonly workspace: string;
  /**
   * What the agent is for, one line; shown by systemctl and agentctl.
   */
  readonly description?: string;
  /**
   * Short texts of your own to find and group agents by; not interpreted.
   */
  readonly labels?: {
    readonly [k: string]: string;
  };
  /**
   * Which agent to run when there is no command: the program each of them installs, looked up on the host. With a command, the name only tells which agent that command is. Of the words after -- on the command line the last one is the prompt and those before it are options of the program; without a prompt (no words, or an option at the end) it is started for a conversation. Settings that come with the workspace, such as hooks, plugins and servers of tools, are not read, except by gemini, which cannot be kept from it; its instructions (AGENTS.md, CLAUDE.md, GEMINI.md) are.
   */
  readonly agent?: 'opencode' | 'claude-code' | 'codex' | 'gemini' | 'shell';
  /**
   * Program and arguments, one word each, in place of the agent's own command. No shell reads them; for one, write ["bash", "-c", "…"]. A word may span lines and is below 128 KiB, as execve(2) has it; what follows -- on the command line is added at the end.
   *
   * @minItems 1
   * @maxItems 4096
   */
  readonly command?: readonly string[];
  /**
   * Variables of the agent. Nothing else is inherited: what the sandbox sets itself (HOME, PATH, LANG, …) can be replaced here, except AGENT_ID and the proxy variables (HTTP_PROXY, HTTPS_PROXY, FTP_PROXY, ALL_PROXY, NO_PROXY in any case), which tell who the agent is and the only way out. Not a place for secrets.
   */
  readonly environment?: {
    readonly [k: string]: string;
  };
  /**
   * Whose model API the agent talks to. Absent: that of api_key_file's agent, openai for codex, google for gemini, otherwise anthropic; without api_key_file that of the first entry of credentials that is not for git. claude-code takes anthropic and custom, codex takes openai, ollama and custom, gemini takes google and custom, opencode takes all.
   */
  readonly api_provider?: 'anthropic' | 'openai' | 'google' | 'ollama' | 'custom';
  /**
   * File of the host that holds the API key, one line, readable by nobody but its owner: an absolute path, or credential:NAME for a systemd credential. The card names the file and never holds the key. Short for one entry of credentials with api_provider.
   */
  readonly api_key_file?: string;
  /**
   * gateway: the keys stay outside; the agent gets the address of a gateway on its own loopback, which adds them. env: for agents that take no other address; the keys are in the environment of the agent, and it can give them away.
   */
  readonly api_key_delivery?: 'gateway' | 'env';
  /**
   * Keys and tokens that are used on the agent's behalf. The first one that is not for git is that of the agent's model. Variables lead programs to the gateways: ANTHROPIC_BASE_URL and ANTHROPIC_API_KEY, OPENAI_BASE_URL and OPENAI_API_KEY (to ollama when there is no openai), GOOGLE_GEMINI_BASE_URL and GEMINI_API_KEY, OLLAMA_BASE_URL and OLLAMA_API_KEY, CUSTOM_BASE_URL and CUSTOM_API_KEY (CUSTOM_2_BASE_URL and so on for further ones), each with a placeholder for its key; git is led by GIT_CONFIG_COUNT and what belongs to it. The card's environment may not set those in use.
   *
   * @maxItems 32
   *
   * Items: One key, and where it is sent.
   */
  readonly credentials?: readonly {
    /**
     * Whose API it is: it decides which paths pass and how the key is sent. git: clones and pushes over https. custom: anything else; needs base_url.
     */
    readonly provider: 'anthropic' | 'openai' | 'google' | 'ollama' | 'custom' | 'git';
    /**
     * As the key of the same name of the card. May be absent for ollama and custom, whose servers may want no key.
     */
    readonly api_key_file?: string;
    /**
     * Where the API is, as its client libraries are told: with /v1 for openai and ollama, without for anthropic and google; for git the server, or a part of it that the token is for. http:// only with an address that is not public. Absent: the provider's own, for ollama this host.
     */
    readonly base_url?: string;
    /**
     * Field of the request that carries the key, NAME, or NAME: WORD for a word before the key. Absent: the provider's own, for custom Authorization: Bearer. Not for git.
     */
    readonly header?: string;
    /**
     * User name that goes with the token. Only for git. Absent: x-access-token, which the known servers take.
     */
    readonly username?: string;
    /**
     * Variable that holds the key when api_key_delivery is env. Absent: the one that the provider's client libraries read.
     */
    readonly variable?: string;
  }[];
  /**
   * What the agent may use of its model, over its life; calls beyond are refused with status 429.
   */
  readonly budget?: {
    /**
     * Most calls of a model. The upper bound catches a value that was meant as none. Absent: no such cap.
     */
    readonly requests?: number;
    /**
     * Most tokens, read and written together, as the provider states them; where it states none, a quarter of the bytes. A call that was begun is not cut. The upper bound catches a value that was meant as none. Absent: no such cap.
     */
    readonly tokens?: number;
  };
  /**
   * Hosts that the agent may reach, without scheme or path: a name, *.NAME for everything below a name, an address or CIDR range, * for any public address; NAME:PORT for one port, otherwise ports 80 and 443. An address that is not public is reached only where it is written out. An empty list allows none. Absent: the API hosts of api_provider and no others; none where a key is used, since the gateway to its API needs no entry.
   *
   * @maxItems 1024
   *
   * Items: A host as a text, or an object that says more about it.
   */
  readonly allowed_hosts?: readonly (
    | string
    | {
        /**
         * Name, *.NAME, address, CIDR range or *.
         */
        readonly host: string;
        /**
         * TCP ports. Absent: the port in host, otherwise 80 and 443.
         *
         * @minItems 1
         * @maxItems 64
         */
        readonly ports?: readonly number[];
        /**
         * HTTP methods that pass, where they are visible: in plain HTTP. With methods or paths, the host cannot be reached through a tunnel, so not by https. Absent: all.
         *
         * @minItems 1
         * @maxItems 16
         */
        readonly methods?: readonly string[];
        /**
         * Beginnings of paths that pass; each ends where a segment ends, so /api covers /api/v1 and not /apix. Absent: all.
         *
         * @minItems 1
         * @maxItems 64
         */
        readonly paths?: readonly string[];
        /**
         * What a tunnel to the host may carry. tls: TLS that names the same host, or HTTP. tcp: anything.
         */
        readonly protocol?: 'tls' | 'tcp';
        /**
         * Why, one line; shown where the rule decides.
         */
        readonly reason?: string;
      }
  )[];
  /**
   * Hosts that the agent may not reach whatever else is allowed; written like allowed_hosts.
   *
   * @maxItems 1024
   *
   * Items: A host as a text, or an object that says more about it.
   */
  readonly denied_hosts?: readonly (
    | string
    | {
        /**
         * Name, *.NAME, address, CIDR range or *.
         */
        readonly host: string;
        /**
         * TCP ports that are denied. Absent: the port in host, otherwise all.
         *
         * @minItems 1
         * @maxItems 64
         */
        readonly ports?: readonly number[];
        /**
         * Why, one line; shown where the rule decides.
         */
        readonly reason?: string;
      }
  )[];
  /**
   * HTTP proxy of your network that all traffic of the agent is handed on to; http://HOST:PORT or https://HOST:PORT. No user name or password: cards are shown and logged.
   */
  readonly proxy?: string;
  /**
   * File of the host that holds USER:PASSWORD for the upstream proxy, one line, readable by nobody but its owner; absolute and normal. Read when the agent starts; neither the card nor the agent holds what is in it.
   */
  readonly proxy_credentials_file?: string;
  /**
   * How the agent is connected.
   */
  readonly network?: {
    /**
     * isolated: a network of its own whose only way out is the proxy. none: no way out at all. veth: a network of its own with an address, for protocols that cannot use a proxy. host: the network of the host, where nothing is enforced.
     */
    readonly mode?: 'isolated' | 'none' | 'veth' | 'host';
    /**
     * Most bytes that pass the proxy over the life of the agent, both directions together. The upper bound is 1 PiB. Absent: no such cap.
     */
    readonly max_bytes?: number;
    /**
     * Most requests and tunnels in any minute; those beyond are refused. The upper bound catches a value that was meant as none. Absent: no such cap.
     */
    readonly requests_per_minute?: number;
    /**
     * Addresses that the agent may reach without the proxy, for protocols that cannot use one. Only with mode veth.
     *
     * @maxItems 64
     *
     * Items: One address and port.
     */
    readonly allow?: readonly {
      /**
       * IPv4 or IPv6 address, without brackets.
       */
      readonly address: string;
      /**
       * Port of that address.
       */
      readonly port: number;
      /**
       * Transport protocol.
       */
      readonly protocol?: 'tcp' | 'udp';
    }[];
    /**
     * Ports of the agent that are reachable from the host.
     *
     * @maxItems 64
     *
     * Items: One port of the agent and where the host listens for it.
     */
    readonly publish?: readonly {
      /**
       * TCP port that the agent listens on. From 1024: an agent has no capability, so it cannot take a lower one.
       */
      readonly port: number;
      /**
       * Address and port of the host, ADDRESS:PORT or [ADDRESS]:PORT for IPv6, or the absolute path of a Unix socket. Without it 127.0.0.1 and the same port, so that nothing is open to other machines unless the card says so.
       */
      readonly listen?: string;
    }[];
  };
  /**
   * TCP port that the agent serves the A2A protocol on. From 1024: an agent has no capability, so it cannot take a lower one.
   */
  readonly a2a_port?: number;
  /**
   * What the agent sees besides its workspace and the system's programs.
   */
  readonly filesystem?: {
    /**
     * Further files and directories of the host that the agent sees under their own names and cannot change.
     *
     * @maxItems 256
     */
    readonly read_only?: readonly string[];
    /**
     * private: a directory of the agent's own that lasts from run to run, until the agent is removed or the host restarts. temporary: gone with each run. workspace: the workspace is the home. The first two live in memory and have at most tmp_mb. Absent: private for an agent of the list without a command, shell excepted; otherwise temporary.
     */
    readonly home?: 'private' | 'temporary' | 'workspace';
  };
  /**
   * What the agent may use, all its processes together. systemd and the kernel hold these limits, also while the daemon is down.
   */
  readonly resource_limits?: {
    /**
     * Memory in MiB, the agent's /tmp included; swap is not used. An agent that needs more is ended with the outcome oom. The bounds catch a value in the wrong unit: below 16 it is meant in GiB, and hardly any interpreter would start; above 16 TiB it is meant in bytes.
     */
    readonly memory_mb?: number;
    /**
     * Memory in MiB above which the kernel slows the agent down and reclaims; at most memory_mb. Absent: no such step.
     */
    readonly memory_high_mb?: number;
    /**
     * Weight among those who want the CPU at the same time; 1024 is an ordinary share (CPUWeight 100). The bounds are those of cgroup v1's cpu.shares, which this key has its scale from.
     */
    readonly cpu_shares?: number;
    /**
     * Most CPU time, in percent of one core: 150 is one and a half cores. The bound is a thousand cores. Absent: no quota.
     */
    readonly cpu_percent?: number;
    /**
     * Weight among those who want a disk at the same time; 100 is ordinary. The bounds are the kernel's (io.weight). Absent: the host's default.
     */
    readonly io_weight?: number;
    /**
     * Most processes at once; the sandbox's own helpers do not count. Threads count too: Node alone has 7 to 11. Absent: 256 for an agent of the list without a command, shell excepted, since their programs have up to 50 themselves; otherwise 50. The upper bound is the kernel's for process ids (2^22).
     */
    readonly max_processes?: number;
    /**
     * Most open files of each process. The lower bound leaves room for bubblewrap, which needs 7, and for a shell with a pipe; the upper one is the kernel's default for fs.nr_open.
     */
    readonly max_open_files?: number;
    /**
     * Size in MiB of /tmp and of each other writable place that is not the workspace. They live in memory and count against memory_mb. The upper bound is 1 TiB.
     */
    readonly tmp_mb?: number;
  };
  /**
   * Seconds after which the agent is ended, however it got on; 0 is never. The upper bound is one year: what shall live longer has no such time.
   */
  readonly ttl_seconds?: number;
  /**
   * Seconds between SIGTERM and SIGKILL when the agent is stopped. At least 1, because systemd takes 0 for never; at most an hour, because a host that shuts down waits for it.
   */
  readonly stop_timeout_seconds?: number;
  /**
   * When systemd starts an ended agent again, 10 seconds later. Absent: on-failure for a card in the cards directory, no for a spawned one. The end of ttl_seconds is not a failure.
   */
  readonly restart?: 'no' | 'on-failure' | 'always';
  /**
   * Whether a card in the cards directory is started when the daemon starts and when the card appears.
   */
  readonly autostart?: boolean;
}
