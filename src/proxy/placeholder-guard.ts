import type { Decision } from '../policy/decision.ts';
import { PlaceholderSearch } from '../policy/placeholder-search.ts';
import type { RequestHead } from '../policy/request-head.ts';
import type { Gateway } from '../policy/table.ts';
import type { BodyInspection } from './inspection.ts';
import { denial } from './refuse.ts';

/** Keeps the placeholders of some gateways out of one request, which goes to somebody else. */
export class PlaceholderGuard implements BodyInspection {
  readonly #gateways: readonly Gateway[];
  readonly #endpoint: string;
  readonly #search: PlaceholderSearch;

  /** `endpoint` is where the request goes, for messages. */
  constructor(gateways: readonly Gateway[], endpoint: string) {
    this.#gateways = gateways;
    this.#endpoint = endpoint;
    this.#search = new PlaceholderSearch(gateways.flatMap(({ placeholder }) => placeholder ?? []));
  }

  /** Whether the guard has nothing to look for. */
  get isIdle(): boolean {
    return this.#search.isEmpty;
  }

  /** Why a head must not be sent on, or null. */
  head(head: RequestHead): Decision | null {
    const found = this.#search.inHead(head);
    return found === null ? null : this.#refusal(found);
  }

  add(bytes: Uint8Array): Uint8Array | Decision {
    const piece = this.#search.add(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength));
    return piece.kind === 'clean' ? piece.bytes : this.#refusal(piece.placeholder);
  }

  end(): Uint8Array {
    return this.#search.end();
  }

  #refusal(placeholder: string): Decision {
    const mount = this.#gateways.find((gateway) => gateway.placeholder === placeholder)?.mount ?? '/';
    const message = `The request to ${this.#endpoint} holds the placeholder of a key that is for ${mount}.`;
    return denial('egress.placeholder', message, 'Only the gateway of this name takes it.');
  }
}
