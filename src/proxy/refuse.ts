import type { Decision } from '../policy/decision.ts';
import { REASONS, type ReasonCode } from '../policy/reasons.ts';

/** The phrase of each status that a refusal may have (RFC 9110 section 15, RFC 6585). */
const PHRASES: ReadonlyMap<number, string> = new Map([
  [400, 'Bad Request'],
  [403, 'Forbidden'],
  [404, 'Not Found'],
  [405, 'Method Not Allowed'],
  [408, 'Request Timeout'],
  [421, 'Misdirected Request'],
  [429, 'Too Many Requests'],
  [431, 'Request Header Fields Too Large'],
  [502, 'Bad Gateway'],
  [503, 'Service Unavailable'],
  [504, 'Gateway Timeout'],
]);

/** How a refusal is sent. */
export interface RefusalForm {
  /** `host:port`, or null when that is not known. */
  readonly endpoint: string | null;
  /** Whether the client may send another request on the connection. */
  readonly keepAlive: boolean;
  /** Whether the request was HEAD, whose answer has no body. */
  readonly isHead: boolean;
  /** Whether a client of a model's API reads it: then it is an error as such APIs write them. */
  readonly isApi: boolean;
}

/** Refusals that would be the same the next time; clients of APIs try again otherwise, after every 429 and 5xx. */
const FINAL: readonly ReasonCode[] = [
  'egress.budget',
  'egress.bytes',
  'egress.certificate',
  'egress.encoded-answer',
  'egress.redirect',
];

/** A decision that the proxy itself makes, without a rule. `message` has the host in it. */
export function denial(reason: ReasonCode, message: string, suggestion: string | null = null): Decision {
  return { verdict: 'deny', reason, rule: null, message, suggestion };
}

/** A host whose answer cannot be read; `endpoint` is `host:port`. */
export function notHttp(endpoint: string): Decision {
  return denial('egress.bad-answer', `${endpoint} did not answer in well-formed HTTP.`);
}

/** The answer to a refused request, complete. Proxy-Status is that of RFC 9209. */
export function refusalBytes(decision: Decision, form: RefusalForm): Buffer {
  const { reason, message, suggestion } = decision;
  const { status } = REASONS[reason];
  const about = form.endpoint === null ? 'a request' : form.endpoint;
  const text = `agent-spawn refused ${about} (${reason}): ${message}${suggestion === null ? '' : ` ${suggestion}`}`;
  const body = form.isApi ? errorBody(reason, text) : `${text}\n`;
  const head = [
    `HTTP/1.1 ${status} ${PHRASES.get(status) ?? ''}`,
    `content-type: ${form.isApi ? 'application/json' : 'text/plain; charset=utf-8'}`,
    `content-length: ${Buffer.byteLength(body)}`,
    `proxy-status: agent-spawn; error=${errorType(reason)}; details="${reason}"`,
    `x-agent-spawn-reason: ${reason}`,
    'cache-control: no-store',
    ...(form.isApi && FINAL.includes(reason) ? ['x-should-retry: false'] : []),
    `connection: ${form.keepAlive ? 'keep-alive' : 'close'}`,
  ];
  return Buffer.from(`${head.join('\r\n')}\r\n\r\n${form.isHead ? '' : body}`);
}

/** An error as clients of the APIs of Anthropic and OpenAI read it; others show it whole. */
function errorBody(code: ReasonCode, message: string): string {
  return JSON.stringify({ type: 'error', error: { type: apiErrorType(code), code, message } });
}

/** Anthropic's API, "Errors"; a spent budget is nobody's but ours. */
function apiErrorType(reason: ReasonCode): string {
  if (reason === 'egress.budget') return 'budget_exhausted';
  switch (REASONS[reason].status) {
    case 400:
    case 405:
      return 'invalid_request_error';
    case 403:
      return 'permission_error';
    case 404:
      return 'not_found_error';
    case 429:
      return 'rate_limit_error';
    default:
      return 'api_error';
  }
}

/** The error type of RFC 9209 section 2.3 that comes closest. */
function errorType(reason: ReasonCode): string {
  switch (reason) {
    case 'egress.name-unknown':
      return 'dns_error';
    case 'egress.unreachable':
      return 'destination_unavailable';
    case 'egress.upstream-timeout':
      return 'connection_timeout';
    case 'egress.bad-answer':
      return 'http_protocol_error';
    case 'egress.private-address':
    case 'egress.own-address':
    case 'egress.metadata-address':
      return 'destination_ip_prohibited';
    case 'egress.audit-unwritable':
      return 'proxy_internal_error';
    default:
      return REASONS[reason].status < 500 ? 'http_request_denied' : 'proxy_internal_response';
  }
}
