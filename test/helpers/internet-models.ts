import type { WebRequest, WebResponse } from './internet-web.ts';
import { type ModelCall, ModelServer, type ModelServerOptions } from './model-server.ts';

/** The model APIs of the pretend internet: none until a test wants them. */
export class Models {
  readonly #calls: ModelCall[] = [];
  #hosts: readonly string[] = [];
  #server: ModelServer | null = null;

  /** Calls so far. */
  get calls(): readonly ModelCall[] {
    return this.#calls;
  }

  /** Has hosts be APIs that play this script from its beginning, and forgets the calls before. */
  set(hosts: readonly string[], options: ModelServerOptions): void {
    this.#calls.length = 0;
    this.#hosts = hosts;
    this.#server = new ModelServer(options, (call) => this.#calls.push(call));
  }

  /** Answers a request to one of the hosts; says no to all others. */
  serve(host: string, request: WebRequest, response: WebResponse): boolean {
    if (this.#server === null || !this.#hosts.includes(host.replace(/:\d+$/, ''))) return false;
    void this.#server.serve(request, response);
    return true;
  }
}
