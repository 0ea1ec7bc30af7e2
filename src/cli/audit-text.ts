import type {
  AuditEntry,
  AuditEvent,
  DecisionEvent,
  EgressRule,
  ModelCallEvent,
  OpenedEvent,
  RepeatedEvent,
} from '../client/api.gen.ts';
import { REASONS } from '../policy/reasons.ts';
import { escapeText } from './escape.ts';
import { bytesText, durationText } from './quantity.ts';

/** Cells that the words of the second column take, so that what follows them stands in one line. */
const WORD_WIDTH = 8;

/** One entry of an audit as a line: when, what, where, why. Nothing of it reaches a terminal as anything but text. */
export function auditLine(entry: AuditEntry): string {
  if (entry.kind === 'broken-line') {
    return `${'-'.padEnd(24)}  ${'broken'.padEnd(WORD_WIDTH)}  line ${entry.line} of ${escapeText(entry.file)} was changed\n`;
  }
  const [word, text] = describe(entry);
  return `${escapeText(entry.time)}  ${word.padEnd(WORD_WIDTH)}  ${escapeText(text)}\n`;
}

/** A rule that a caller added, in one line. */
export function ruleLine(id: string, action: 'allow' | 'deny', rule: EgressRule): string {
  const ports = rule.ports === null ? 'every port' : `port ${rule.ports.join(', ')}`;
  return escapeText(`agent ${id}: ${action} ${rule.host}, ${ports} (${rule.pointer}, until it ends)`).concat('\n');
}

/** `host:port`, an IPv6 address in brackets. */
export function hostPort(host: string | null, port: number | null): string {
  const name = host === null ? '?' : /^[0-9a-f:.]*:[0-9a-f:.]*$/.test(host) ? `[${host}]` : host;
  return port === null ? name : `${name}:${port}`;
}

/** The code of a reason and its sentence, when this version knows it. */
export function reasonText(reason: string): string {
  const known = Object.hasOwn(REASONS, reason) ? REASONS[reason as keyof typeof REASONS] : null;
  return known === null ? reason : `${reason}: ${known.sentence}`;
}

function describe(event: AuditEvent): readonly [word: string, text: string] {
  switch (event.kind) {
    case 'decision':
      return [event.verdict === 'allow' ? 'allowed' : 'refused', decisionText(event)];
    case 'repeated':
      return ['refused', repeatedText(event)];
    case 'tunnel-closed':
      return [
        'closed',
        `${hostPort(event.host, event.port)}  ${bytesText(event.bytesSent)} sent, ${bytesText(event.bytesReceived)} received in ${durationText(event.durationMs / 1000)}`,
      ];
    case 'model-call':
      return ['used', modelCallText(event)];
    case 'model-totals':
      return ['used', `${event.mount}  ${tokensText(event.totals)} so far`];
    case 'rules-changed':
      return ['rule', `${event.change}: ${event.action} ${event.host} ${portsText(event.ports)}  ${event.rule}`];
    case 'opened':
      return ['begin', `rules: ${event.allowRules} allow, ${event.denyRules} deny${upstreamText(event)}`];
    case 'closed':
      return ['end', `${event.allowed} allowed, ${event.refused} refused`];
    case 'recovered':
      return ['log', `went on after a break (${event.cause}); ${event.unwritten} events were not written`];
    case 'rotated':
      return ['log', 'goes on in a new file'];
    default:
      // Written by a version that knows more kinds.
      return ['?', JSON.stringify(event)];
  }
}

function decisionText({ verdict, method, host, port, path, reason, rule, address }: DecisionEvent): string {
  const request = [method === 'CONNECT' ? null : method, hostPort(host, port) + (path ?? '')];
  const why = [
    verdict === 'allow' ? null : reasonText(reason),
    rule,
    address === null || address === host ? null : `at ${address}`,
  ];
  return `${request.filter((part) => part !== null).join(' ')}  ${why.filter((part) => part !== null).join('  ')}`;
}

function modelCallText(event: ModelCallEvent): string {
  const { mount, status, bytesSent, bytesReceived, totals } = event;
  const answer = status === 0 ? 'no answer' : `status ${status}`;
  const traffic = `${bytesText(bytesSent)} sent, ${bytesText(bytesReceived)} received`;
  if (event.provider === 'git') return `${mount}  ${answer}, ${traffic}`;
  return `${mount}  ${answer}, ${traffic}, ${tokensText(event)}  so far ${callsText(totals.modelCalls)}, ${tokensText(totals)}`;
}

function callsText(count: number): string {
  return count === 1 ? '1 call' : `${count} calls`;
}

/** Tokens that were stated, and those that nobody stated. */
function tokensText({ inputTokens, outputTokens, estimatedTokens }: ModelCallEvent['totals'] | ModelCallEvent): string {
  const estimated = `${estimatedTokens} tokens estimated`;
  if (inputTokens + outputTokens === 0 && estimatedTokens > 0) return estimated;
  return `${inputTokens} tokens read, ${outputTokens} written${estimatedTokens === 0 ? '' : `, ${estimated}`}`;
}

function repeatedText({ host, port, reason, count, since }: RepeatedEvent): string {
  const where = host === null && port === null ? 'other hosts' : hostPort(host, port);
  return `${where}  ${count} more times since ${since}  ${reasonText(reason)}`;
}

function portsText(ports: readonly number[] | null): string {
  return ports === null ? 'on every port' : `on port ${ports.join(', ')}`;
}

function upstreamText({ upstream, upstreamFrom }: OpenedEvent): string {
  if (upstream === null) return '';
  return `, by way of ${upstream}${upstreamFrom === undefined ? '' : ` (from ${upstreamFrom})`}`;
}
