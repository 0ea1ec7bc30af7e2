/**
 * Every numeric bound of the program, one constant each. Whatever a stranger
 * can make grow (a card, a request, a log, a set of agents) ends here.
 */

/** Largest card, bytes. Real cards are below 1 KiB. */
export const CARD_BYTES_MAX: number = 256 * 1024;
/** Deepest nesting of a card; the schema itself needs 4. */
export const CARD_DEPTH_MAX: number = 16;
/** Longest path, bytes, without its terminating NUL (PATH_MAX, path_resolution(7)). */
export const PATH_BYTES_MAX: number = 4095;
/** Most problems reported for one card, or for the configuration; the rest would only scroll the first away. */
export const CARD_PROBLEMS_MAX: number = 64;
/** Largest configuration of the daemon, bytes; one with every key has less than 1 KiB. */
export const CONFIG_BYTES_MAX: number = 64 * 1024;
/** Largest request body of the API, bytes: one card as JSON text, escaped, plus its frame. */
export const REQUEST_BYTES_MAX: number = 2 * CARD_BYTES_MAX;
/** Connections the API serves at once. */
export const API_CONNECTIONS_MAX: number = 2048;
/** Time a caller has to send the header of a request, milliseconds. Callers are local processes. */
export const API_HEADER_TIMEOUT_MS: number = 5_000;
/** Time a caller has to send a whole request, milliseconds. */
export const API_REQUEST_TIMEOUT_MS: number = 20_000;
/** Time that answers which are being worked out get when the daemon ends, milliseconds; within its TimeoutStopSec=. */
export const API_DRAIN_TIMEOUT_MS: number = 10_000;
/** Largest header of a request or a response, bytes. */
export const API_HEADER_BYTES_MAX: number = 16 * 1024;
/** Largest response the client reads into memory, bytes: a plan holds a card and some thousand mounts. */
export const RESPONSE_BYTES_MAX: number = 64 * 1024 * 1024;
/** Largest event of an agent's stream, bytes. */
export const EVENT_BYTES_MAX: number = 1024 * 1024;
/** Piece of output that is copied to the journal in one request, bytes; below {@link REQUEST_BYTES_MAX}. */
export const OUTPUT_PIECE_BYTES_MAX: number = 256 * 1024;
/** Agents alive at once on one host; a start beyond is refused with `sandbox.too-many`. */
export const AGENTS_MAX: number = 2000;
/** Starts that may be in flight at once; more wait in order. PID 1 runs jobs one after the other anyway. */
export const STARTS_AT_ONCE_MAX: number = 32;
/** Records of ended agents kept for `agentctl list --all`; the oldest goes first. */
export const ENDED_RECORDS_MAX: number = 256;
/** Uids remembered per agent id; one per uid of the default range would be a table of gigabytes. */
export const UIDS_MAX: number = 65_536;
/** Cards read from the cards directory. */
export const DECLARED_CARDS_MAX: number = 1024;
/** Agents that are restarted or stopped at once because their cards changed; more wait in order, so that a host with many is not put to work on all at one time. */
export const CARD_RESTARTS_AT_ONCE_MAX: number = 4;
/** Time a reload waits for agents that it restarts, at most twice, milliseconds: TimeoutStartSec= of agent-spawnd.service ends `systemctl reload`. */
export const RELOAD_SETTLE_MS: number = 12_000;
/** Bytes of a foreground agent's output that are copied to the journal per agent, bytes. */
export const JOURNAL_COPY_BYTES_MAX: number = 8 * 1024 * 1024;
/** The same in lines: journald's own limit for one service and half a minute (RateLimitBurst=, journald.conf(5)). */
export const JOURNAL_COPY_LINES_MAX: number = 10_000;
/** Longest line copied to the journal, bytes; systemd's own LineMax= default (journald.conf(5)). */
export const JOURNAL_LINE_BYTES_MAX: number = 48 * 1024;
/** Time a unit job may take before the start counts as failed, milliseconds. */
export const JOB_TIMEOUT_MS: number = 30_000;
/** Output of a probed command that is read, bytes. */
export const PROBE_OUTPUT_BYTES_MAX: number = 256 * 1024;
/** Time a probed command may take, milliseconds. */
export const PROBE_TIMEOUT_MS: number = 5_000;
/**
 * Processes of an agent of the list whose card says nothing. Codex has 47 at once on two processors when it runs `sort`,
 * its runtime starts more of them on larger machines, and what agents run (compilers, tests) has its own.
 */
export const LISTED_AGENT_TASKS: number = 256;
/** Processes of bubblewrap itself in each unit (monitor and reaper), added to TasksMax= so that the agent has its full number. */
export const SANDBOX_TASKS: number = 2;
/** Times a stop looks whether the agent's program has come up, and the pause between, milliseconds: a second at most. */
export const PROGRAM_WAIT_ATTEMPTS: number = 100;
export const PROGRAM_WAIT_MS: number = 10;
/** Connections that the relay of one published port carries at once; more wait in the listener's queue. */
export const PUBLISH_CONNECTIONS_MAX: number = 512;
/** Time to find out who has the place of a port that cannot be published, milliseconds; every descriptor of the host is looked at. */
export const PORT_HOLDER_TIMEOUT_MS: number = 5_000;
/** Time a published Unix socket that exists already has to answer, milliseconds. Local connections take microseconds. */
export const SOCKET_ANSWER_TIMEOUT_MS: number = 1_000;
/** Time the egress proxy has for one answer to the daemon, milliseconds; starting it by its socket takes a part of a second. */
export const EGRESS_CALL_TIMEOUT_MS: number = 10_000;
/** Largest answer of the egress proxy to the daemon, bytes: one summary. */
export const EGRESS_ANSWER_BYTES_MAX: number = 64 * 1024;
/** Shortest and longest pause before the daemon asks a proxy again that went away, milliseconds. */
export const EGRESS_RETRY_MIN_MS: number = 50;
export const EGRESS_RETRY_MAX_MS: number = 10_000;
/** Rules that a running agent can be given in addition, allowing and denying ones each. */
export const LIVE_RULES_MAX: number = 256;
/** Largest file with credentials of an upstream proxy, bytes. */
export const CREDENTIALS_BYTES_MAX: number = 4096;
/** Largest file with a key or token, bytes: tokens with many claims have some kilobytes. */
export const KEY_BYTES_MAX: number = 64 * 1024;
/** Bytes of a home directory in memory for each file it may hold: a page, the least that a file with content takes. */
export const HOME_BYTES_PER_INODE: number = 4096;
/** Files that the smallest home may hold. */
export const HOME_INODES_MIN: number = 1024;
/** Largest encrypted credential of systemd, bytes: a key in Base64 with what `systemd-creds` adds. */
export const SEALED_CREDENTIAL_BYTES_MAX: number = 256 * 1024;
/** Longest opening of an encrypted credential, milliseconds: a TPM takes a second or two. */
export const UNSEAL_TIMEOUT_MS: number = 15_000;
/** Symlinks followed on the way to a secret, as the kernel does (path_resolution(7)). */
export const SECRET_LINKS_MAX: number = 40;
/** Largest exit report read back, bytes. */
export const EXIT_REPORT_BYTES_MAX: number = 4096;
/** Largest record read back, bytes: the largest card as text, resolved, and as rules of the proxy. */
export const RECORD_BYTES_MAX: number = 8 * 1024 * 1024;
/** Longest single argument of an executed program, bytes, with its terminating NUL (MAX_ARG_STRLEN, execve(2)). */
export const MAX_ARGUMENT_BYTES: number = 128 * 1024;
/** Time a private host may take to come up, milliseconds; it takes about a second, many at once on a busy machine more. */
export const PRIVATE_HOST_BOOT_TIMEOUT_MS: number = 60_000;
/** Time an answer on the system bus may take, milliseconds; sd-bus's own default (sd_bus_set_method_call_timeout(3)). */
export const BUS_CALL_TIMEOUT_MS: number = 25_000;
/** Time a call waits for a lost bus connection to come back, milliseconds. */
export const BUS_RECONNECT_WAIT_MS: number = 5_000;
/** Calls on the bus in flight at once; dbus-daemon refuses more than 128 of one connection (max_replies_per_connection, its built-in default). */
export const BUS_CALLS_AT_ONCE_MAX: number = 64;
/** Ended jobs of PID 1 remembered while the answers that name our own jobs are on their way. */
export const EARLY_JOBS_MAX: number = 4096;
/** Directories of a workspace that may wait to be walked while it is re-owned. */
export const WORKSPACE_PENDING_MAX: number = 65_536;
/** Lines of one agent that may wait for a busy journal; later ones are dropped and counted. */
export const JOURNAL_WAITING_LINES_MAX: number = 4096;
/** Largest `/etc/passwd` and `/etc/group` read, bytes: some hundred thousand accounts. */
export const ACCOUNT_FILE_BYTES_MAX: number = 16 * 1024 * 1024;
/** Names of users remembered by uid. */
export const USER_NAMES_MAX: number = 1024;
/** Directories one `*` in a program search path may stand for. */
export const SEARCH_MATCHES_MAX: number = 256;
/** Longest path of a request that the audit keeps, characters; the rest says little about where it went. */
export const AUDIT_PATH_MAX: number = 512;
/** Longest line of an audit, bytes: the widest event of its schema is below a third of it. */
export const AUDIT_LINE_BYTES_MAX: number = 16 * 1024;
/** Size at which an agent's audit goes on in a new file, bytes: some thirty thousand decisions. One older file is kept. */
export const AUDIT_FILE_BYTES_MAX: number = 8 * 1024 * 1024;
/** Time for which refusals like one that was written are counted instead of written, milliseconds. */
export const AUDIT_REPEATED_WINDOW_MS: number = 30_000;
/** Different refusals of one agent that are told apart in that time; more are counted by their reason alone, so that no agent washes its audit away. */
export const AUDIT_REPEATED_KEYS_MAX: number = 256;
/** Largest head of a request that the egress proxy takes, bytes; agents send some long cookies and tokens, servers take 8 to 32 KiB. */
export const REQUEST_HEAD_BYTES_MAX: number = 32 * 1024;
/** Longest target of a request to the egress proxy, bytes; RFC 9112 section 3 asks for 8,000 at least. */
export const REQUEST_TARGET_BYTES_MAX: number = 8 * 1024;
/** Fields in the head of one request; Node's own limit is 1,000 in both directions together. */
export const REQUEST_FIELDS_MAX: number = 128;
/** Longest method of a request, bytes; the longest registered one has 17. */
export const REQUEST_METHOD_BYTES_MAX: number = 32;
/** Hexadecimal digits in the size of one chunk of a body: below 4 GiB. */
export const CHUNK_SIZE_DIGITS_MAX: number = 8;
/** Trailer fields after a chunked body, bytes; they are read and dropped. */
export const TRAILER_BYTES_MAX: number = 8 * 1024;
/** Largest TLS ClientHello, bytes: two kilobytes with post-quantum keys, the largest record holds 16. */
export const CLIENT_HELLO_BYTES_MAX: number = 16 * 1024;
/** Rules of one agent for allowing, and as many for denying: what a card may hold, and as many again while the agent runs. */
export const EGRESS_RULES_MAX: number = 2048;
/** Connections of one agent that the egress proxy serves at once: some browsers' worth. */
export const EGRESS_CONNECTIONS_MAX: number = 256;
/** Refused connections of one agent that are still told why at once; more are closed without a word. */
export const EGRESS_LINGERING_MAX: number = 64;
/** Time a client that was refused gets to read why while what it still sends is thrown away, milliseconds. */
export const EGRESS_LINGER_MS: number = 2_000;
/** Time for the head of a request from its first byte on, and for the first bytes of a tunnel to say where it goes, milliseconds. */
export const EGRESS_HEAD_TIMEOUT_MS: number = 10_000;
/** Time a client may be silent between two requests or amid the body of one, milliseconds; clients keep connections for a minute or less. */
export const EGRESS_IDLE_TIMEOUT_MS: number = 120_000;
/** Time to look a name up, milliseconds; the resolver's own default is 10 s for one name server (resolv.conf(5)). */
export const EGRESS_LOOKUP_TIMEOUT_MS: number = 10_000;
/** Names of one agent that are looked up at once; each takes one of the threads that agent-egressd.service gives the proxy. */
export const EGRESS_LOOKUPS_AT_ONCE_MAX: number = 4;
/** Time to connect to one of the addresses of a host, milliseconds, all tries together. */
export const EGRESS_DIAL_TIMEOUT_MS: number = 10_000;
/** Time an upstream proxy has to make a tunnel, which it dials for itself, milliseconds. */
export const EGRESS_UPSTREAM_TIMEOUT_MS: number = 30_000;
/** Addresses of one name that are judged; more in one answer only cost time. */
export const EGRESS_ADDRESSES_MAX: number = 16;
/** Time a host may take to begin its answer, milliseconds: a model that thinks for long answers after minutes. */
export const EGRESS_ANSWER_TIMEOUT_MS: number = 900_000;
/** Time after which a tunnel is cut that one side has ended and that carries nothing the other way, milliseconds. */
export const EGRESS_HALF_CLOSED_TIMEOUT_MS: number = 60_000;
/** Silence after which the kernel asks whether a host is still there, milliseconds; agents wait for hosts that are gone no longer. */
export const EGRESS_KEEPALIVE_MS: number = 60_000;
/** Bytes held for one direction of one connection while the other side is slow. */
export const EGRESS_BUFFER_BYTES: number = 128 * 1024;
/** Largest head of a host's answer, bytes; servers with many cookies send some ten thousand. */
export const EGRESS_ANSWER_HEAD_BYTES_MAX: number = 64 * 1024;
/** Different refusals of one agent that are counted apart, and how many of them its summary names. */
export const EGRESS_REFUSALS_COUNTED_MAX: number = 256;
export const EGRESS_REFUSALS_SHOWN_MAX: number = 10;
/** Decisions of one agent that are kept for when the same is asked again. */
export const EGRESS_DECISIONS_KEPT_MAX: number = 64;
/** Time for which the addresses of this machine are remembered, milliseconds. */
export const OWN_ADDRESSES_MS: number = 2_000;
/** Largest request to the proxy's control socket, bytes: the rules of as many agents as there may be. */
export const EGRESS_CONTROL_BYTES_MAX: number = 64 * 1024 * 1024;
/** Shortest key that is looked for in answers, characters; below, a key is a word that ordinary text holds. */
export const SCRUBBED_SECRET_MIN: number = 8;
/** Nesting of an answer's JSON down to which its members are told apart; the deepest count of tokens is in the third object. */
export const USAGE_DEPTH_MAX: number = 3;
/** Longest name of a member, escapes included, that may be one of those with counts of tokens, bytes; the longest has 27. */
export const USAGE_NAME_BYTES_MAX: number = 64;
/** Most tokens of one kind that are believed of one answer; contexts of models have some millions. */
export const USAGE_TOKENS_MAX: number = 1_000_000_000;
