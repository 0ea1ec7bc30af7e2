import type { Problem } from './result.ts';

/** What every door needs to know about an error code. */
export interface ErrorKind {
  /** HTTP status of the API (RFC 9110 §15). */
  readonly http: number;
  /** Exit status of `agentctl` and of `agent-spawn --dry-run`; a foreground launch always uses 125. */
  readonly exit: 1 | 2 | 3 | 4 | 5;
  /** One line for the generated error reference. */
  readonly summary: string;
}

/**
 * The one neutral error table. Codes are `area.kind`, stable once released;
 * doors map them, nobody parses messages.
 */
export const ERRORS = {
  'card.syntax': { http: 422, exit: 3, summary: 'The card is not well-formed JSON or TOML.' },
  'card.too-large': { http: 413, exit: 3, summary: 'The card is larger than 256 KiB.' },
  'card.too-deep': { http: 422, exit: 3, summary: 'The card nests deeper than 16 levels.' },
  'card.duplicate-key': { http: 422, exit: 3, summary: 'A key occurs twice in one object.' },
  'card.forbidden-key': { http: 422, exit: 3, summary: 'A key such as `__proto__` that no card may contain.' },
  'card.unknown-key': { http: 422, exit: 3, summary: 'A key the schema does not know.' },
  'card.missing-key': { http: 422, exit: 3, summary: 'A required key is absent.' },
  'card.wrong-type': { http: 422, exit: 3, summary: 'A value has the wrong JSON type.' },
  'card.out-of-range': { http: 422, exit: 3, summary: 'A number or a length is outside its bounds.' },
  'card.not-allowed': { http: 422, exit: 3, summary: 'A value is not one of the allowed ones.' },
  'card.bad-format': { http: 422, exit: 3, summary: 'A text does not have the required form.' },
  'card.bad-path': { http: 422, exit: 3, summary: 'A path is not absolute, not normal, or holds control characters.' },
  'card.bad-environment': { http: 422, exit: 3, summary: 'An environment variable name or value cannot be used.' },
  'card.host-pattern': { http: 422, exit: 3, summary: 'A host of a network rule cannot be understood.' },
  'card.id-mismatch': { http: 422, exit: 3, summary: 'The file name of a declared card and its agent_id differ.' },
  'card.conflict': { http: 422, exit: 3, summary: 'Two keys of the card contradict each other.' },
  'card.unreadable': { http: 422, exit: 3, summary: 'The card file cannot be read.' },
  'plan.not-enforced': { http: 422, exit: 3, summary: 'The card asks for something this version does not enforce.' },
  'plan.user-taken': {
    http: 422,
    exit: 3,
    summary: "A user or a group of the host claims the name of the agent's user.",
  },
  'plan.workspace-refused': { http: 422, exit: 3, summary: 'The workspace cannot be used as asked.' },
  'plan.home-refused': { http: 422, exit: 3, summary: 'The home directory cannot be changed as asked.' },
  'plan.bind-refused': { http: 422, exit: 3, summary: 'An extra read-only bind cannot be used as asked.' },
  'plan.publish-refused': { http: 422, exit: 3, summary: 'A port cannot be published as asked.' },
  'plan.credentials-refused': {
    http: 422,
    exit: 3,
    summary: 'A key, or the credentials of the proxy, cannot be used.',
  },
  'plan.network-refused': { http: 422, exit: 3, summary: 'This host does not allow the network mode.' },
  'plan.command-not-found': { http: 422, exit: 3, summary: 'The command of the agent was not found on this host.' },
  'host.bubblewrap-missing': { http: 503, exit: 5, summary: 'bubblewrap is not installed or lacks a needed option.' },
  'host.userns-blocked': { http: 503, exit: 5, summary: 'An ordinary user cannot make a user namespace on this host.' },
  'host.nss-missing': { http: 503, exit: 5, summary: 'User records of agents are not resolved (nss-systemd).' },
  'host.systemd-missing': { http: 503, exit: 5, summary: 'PID 1 is not systemd or its bus does not answer.' },
  'host.egress-unavailable': { http: 503, exit: 5, summary: 'The egress proxy is not installed or does not answer.' },
  'host.relay-missing': {
    http: 503,
    exit: 5,
    summary: 'systemd-socket-proxyd, which relays to the proxy, is missing.',
  },
  'host.network-tools-missing': { http: 503, exit: 5, summary: 'nft or ip, which make links of agents, is missing.' },
  'host.credentials-unavailable': { http: 503, exit: 5, summary: 'PID 1 cannot hand credentials to units here.' },
  'host.call-failed': { http: 500, exit: 1, summary: 'A call to the host failed.' },
  'sandbox.exists': { http: 409, exit: 1, summary: 'An agent with this id runs already.' },
  'sandbox.declared': { http: 409, exit: 1, summary: 'The id belongs to a card in the cards directory.' },
  'sandbox.not-found': { http: 404, exit: 1, summary: 'No agent with this id is known.' },
  'sandbox.not-running': { http: 409, exit: 1, summary: 'The agent is not running.' },
  'sandbox.running': { http: 409, exit: 1, summary: 'The agent is running.' },
  'sandbox.start-failed': { http: 500, exit: 1, summary: 'The unit of the agent did not start.' },
  'sandbox.port-taken': { http: 409, exit: 1, summary: 'Somebody else listens where a port is to be published.' },
  'sandbox.no-egress': { http: 409, exit: 1, summary: 'The agent has no way out that could be changed.' },
  'sandbox.no-credentials': { http: 409, exit: 1, summary: 'The agent uses no key that could be read again.' },
  'sandbox.card-refused': { http: 409, exit: 3, summary: 'The card of the declared agent is refused.' },
  'sandbox.live-rules': { http: 429, exit: 1, summary: 'The agent has as many live rules as it may.' },
  'sandbox.too-many': { http: 429, exit: 1, summary: 'The host runs as many agents as it may.' },
  'control.bad-request': { http: 400, exit: 2, summary: 'The request does not follow the API description.' },
  'control.too-large': { http: 413, exit: 2, summary: 'The body of the request is larger than the API takes.' },
  'control.wrong-media-type': { http: 415, exit: 2, summary: 'The body of the request has the wrong media type.' },
  'control.no-such-path': { http: 404, exit: 2, summary: 'The API has no such path.' },
  'control.no-such-method': { http: 405, exit: 2, summary: 'The path of the API does not take this method.' },
  'control.forbidden': { http: 403, exit: 4, summary: 'The caller may not do this.' },
  'control.unavailable': { http: 503, exit: 1, summary: 'The daemon cannot be reached.' },
  'control.internal': { http: 500, exit: 1, summary: 'A bug in agent-spawn.' },
  'cli.no-journal': { http: 503, exit: 5, summary: 'journalctl was not found or did not run.' },
  'cli.output-failed': { http: 500, exit: 1, summary: 'The output of the command cannot be written.' },
  'cli.usage': { http: 400, exit: 2, summary: 'The command line cannot be understood.' },
  'private-host.boot-failed': { http: 500, exit: 1, summary: 'The private host did not come up.' },
  'private-host.unfit': { http: 503, exit: 5, summary: 'This machine cannot carry a private host.' },
  'config.invalid': { http: 500, exit: 1, summary: 'The configuration file of the daemon is not valid.' },
} as const satisfies Record<string, ErrorKind>;

/** A stable error code. */
export type ErrorCode = keyof typeof ERRORS;

/**
 * A failure with a stable code. The message names operation, object and cause;
 * the remedy says what the reader can do about it.
 */
export class SpawnError extends Error {
  override readonly name = 'SpawnError';
  readonly code: ErrorCode;
  readonly remedy: string | undefined;
  readonly problems: readonly Problem[];

  constructor(
    code: ErrorCode,
    message: string,
    options: { readonly remedy?: string; readonly problems?: readonly Problem[]; readonly cause?: unknown } = {},
  ) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.code = code;
    this.remedy = options.remedy;
    this.problems = options.problems ?? [];
  }
}

/** Wraps problems of an input as one failure; its message is the first problem's. */
export function problemsError(problems: readonly Problem[], subject: string): SpawnError {
  const first = problems[0];
  const code = first?.code ?? 'control.internal';
  const more = problems.length > 1 ? ` (and ${problems.length - 1} more)` : '';
  return new SpawnError(code, `${subject}: ${first?.message ?? 'refused'}${more}`, { problems });
}
