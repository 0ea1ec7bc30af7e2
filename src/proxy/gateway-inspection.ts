import type { IncomingMessage } from 'node:http';
import { authorityText } from '../policy/authority.ts';
import type { Decision } from '../policy/decision.ts';
import type { RawFields } from '../policy/forward-head.ts';
import { isReadable, redirectAtProxy } from '../policy/gateway-answer.ts';
import { gatewayAnswerFields } from '../policy/gateway-fields.ts';
import type { EgressIntent } from '../policy/intent.ts';
import { Scrubber } from '../policy/scrub.ts';
import type { Gateway } from '../policy/table.ts';
import { type TokenUsage, type UsageReader, usageReader } from '../policy/usage-reader.ts';
import type { AnswerInspection, BodyInspection, Inspection } from './inspection.ts';
import { denial } from './refuse.ts';

/** Statuses that send the client elsewhere; 304 has nothing to do with it (RFC 9110 section 15.4). */
const REDIRECTS: readonly (number | undefined)[] = [300, 301, 302, 303, 305, 306, 307, 308];

/** Statuses whose answers have no body (RFC 9112 section 6.3). */
const WITHOUT_BODY: readonly (number | undefined)[] = [204, 304];

/** What is looked for in one request and its answer. */
export interface GatewayInspectionOptions {
  readonly gateway: Gateway;
  readonly intent: EgressIntent;
  readonly body: BodyInspection | null;
  /** Every way in which an answer may spell a key. */
  readonly secretForms: readonly Buffer[];
}

/** Looks into one request to an API and its answer: nothing of the credential comes back. */
export class GatewayInspection implements Inspection {
  readonly body: BodyInspection | null;
  readonly #gateway: Gateway;
  readonly #intent: EgressIntent;
  readonly #scrubber: Scrubber;
  #status = 0;
  #usage: UsageReader | null = null;

  constructor({ gateway, intent, body, secretForms }: GatewayInspectionOptions) {
    this.body = body;
    this.#gateway = gateway;
    this.#intent = intent;
    this.#scrubber = new Scrubber(secretForms);
  }

  /** Status of the answer, 0 before there is one. */
  get status(): number {
    return this.#status;
  }

  /** Tokens as far as the answer states them; null when it does not, or not yet. */
  tokens(): TokenUsage | null {
    return this.#usage?.end() ?? null;
  }

  /** Passes an answer on that can be looked into and does not lead away. */
  answer(response: IncomingMessage): AnswerInspection | Decision {
    const endpoint = authorityText(this.#intent);
    const { statusCode = 0, headers, statusMessage = '' } = response;
    this.#status = statusCode;
    const isBodyless = this.#intent.method === 'HEAD' || WITHOUT_BODY.includes(statusCode);
    const { 'content-encoding': contentEncoding, 'transfer-encoding': transferEncoding } = headers;
    if (!isBodyless && !isReadable({ contentEncoding, transferEncoding }))
      return denial('egress.encoded-answer', `${endpoint} encodes its answer, so it cannot be searched for keys.`);
    const fields = this.#fields(response);
    if (fields === null) return denial('egress.redirect', `${endpoint} redirects to where its gateway does not lead.`);
    const scrubber = this.#scrubber;
    const usage = usageReader(this.#gateway.provider, headers['content-type'] ?? null);
    this.#usage = usage;
    return {
      phrase: scrubber.scrubText(statusMessage),
      fields: fields.map((text) => scrubber.scrubText(text)),
      add: (bytes) => {
        usage.add(bytes);
        return scrubber.add(bytes);
      },
      end: () => scrubber.end(),
    };
  }

  /** Fields for the client, a redirect rewritten to the gateway; null when it leads elsewhere. */
  #fields({ statusCode, rawHeaders }: IncomingMessage): RawFields | null {
    const fields = gatewayAnswerFields(rawHeaders);
    if (!REDIRECTS.includes(statusCode)) return fields;
    const path = this.#intent.path ?? '/';
    const rewritten: string[] = [];
    for (let index = 0; index + 1 < fields.length; index += 2) {
      const [name = '', value = ''] = [fields[index], fields[index + 1]];
      const isLocation = name.toLowerCase() === 'location';
      // Before it is read as a URL, which spells characters in its own way.
      const location = this.#scrubber.scrubText(value);
      const place = isLocation ? redirectAtProxy(this.#gateway, { location, path }) : value;
      if (place === null) return null;
      rewritten.push(name, place);
    }
    return rewritten;
  }
}
