import type { IncomingMessage } from 'node:http';
import { authorityText } from '../policy/authority.ts';
import type { Decision } from '../policy/decision.ts';
import type { RawFields } from '../policy/forward-head.ts';
import { isReadable, redirectAtProxy } from '../policy/gateway-answer.ts';
import { gatewayAnswerFields } from '../policy/gateway-fields.ts';
import type { EgressIntent } from '../policy/intent.ts';
import type { Gateway } from '../policy/table.ts';
import type { AnswerInspection, BodyInspection, Inspection } from './inspection.ts';
import { denial } from './refuse.ts';

const NOTHING = Buffer.alloc(0);

/** Statuses that send the client elsewhere; 304 has nothing to do with it (RFC 9110 section 15.4). */
const REDIRECTS: readonly (number | undefined)[] = [300, 301, 302, 303, 305, 306, 307, 308];

/** Statuses whose answers have no body (RFC 9112 section 6.3). */
const WITHOUT_BODY: readonly (number | undefined)[] = [204, 304];

/** Looks into one request to an API and its answer: nothing of the credential comes back. */
export class GatewayInspection implements Inspection {
  readonly body: BodyInspection | null = null;
  readonly #gateway: Gateway;
  readonly #intent: EgressIntent;

  constructor(gateway: Gateway, intent: EgressIntent) {
    this.#gateway = gateway;
    this.#intent = intent;
  }

  /** Passes an answer on that can be looked into and does not lead away. */
  answer(response: IncomingMessage): AnswerInspection | Decision {
    const endpoint = authorityText(this.#intent);
    const { 'content-encoding': contentEncoding, 'transfer-encoding': transferEncoding } = response.headers;
    const isBodyless = this.#intent.method === 'HEAD' || WITHOUT_BODY.includes(response.statusCode);
    if (!isBodyless && !isReadable({ contentEncoding, transferEncoding }))
      return denial('egress.encoded-answer', `${endpoint} encodes its answer, so it cannot be searched for the key.`);
    const fields = this.#fields(response);
    if (fields === null) return denial('egress.redirect', `${endpoint} redirects to where this gateway does not lead.`);
    return { phrase: response.statusMessage ?? '', fields, add: (bytes) => bytes, end: () => NOTHING };
  }

  /** Fields for the client, a redirect rewritten to the gateway; null when it leads elsewhere. */
  #fields({ statusCode, rawHeaders }: IncomingMessage): RawFields | null {
    const fields = gatewayAnswerFields(rawHeaders);
    if (!REDIRECTS.includes(statusCode)) return fields;
    const rewritten: string[] = [];
    for (let index = 0; index + 1 < fields.length; index += 2) {
      const [name = '', value = ''] = [fields[index], fields[index + 1]];
      const isLocation = name.toLowerCase() === 'location';
      const place = isLocation
        ? redirectAtProxy(this.#gateway, { location: value, path: this.#intent.path ?? '/' })
        : value;
      if (place === null) return null;
      rewritten.push(name, place);
    }
    return rewritten;
  }
}
