import { SpawnError } from '../base/errors.ts';
import { BUS_RECONNECT_WAIT_MS } from '../base/limits.ts';
import { type BusCall, BusConnection, type BusSignal } from './bus-connection.ts';

/** Address of the system bus; the path every distribution has (systemd's own default, too). */
export const SYSTEM_BUS: string = 'unix:path=/run/dbus/system_bus_socket';

/** First and longest pause between two attempts to connect, milliseconds. */
const PAUSE_FIRST_MS = 50;
const PAUSE_MAX_MS = 2_000;

/** What a bus is made of. */
export interface SystemBusOptions {
  /** D-Bus address. */
  readonly address: string;
  /** Prepares each new connection (match rules and so on) before anybody may use it. */
  readonly prepare: (connection: BusConnection) => Promise<void>;
  readonly signal: (signal: BusSignal) => void;
  /** The connection was lost: answers and signals that were on their way are, too. */
  readonly lost: () => void;
  /** A connection is there again after one was lost. */
  readonly restored: () => void;
}

/** One long-lived connection to the system bus, which comes back by itself when it is lost. */
export class SystemBus implements AsyncDisposable {
  readonly #options: SystemBusOptions;
  #connection: BusConnection | null = null;
  #waiters: (() => void)[] = [];
  #lastFailure = 'not connected yet';
  #retry: NodeJS.Timeout | null = null;
  #isDisposed = false;

  private constructor(options: SystemBusOptions) {
    this.#options = options;
  }

  /** Connects. Throws `host.systemd-missing` when no bus with a prepared connection is there in time. */
  static async open(options: SystemBusOptions): Promise<SystemBus> {
    const bus = new SystemBus(options);
    void bus.#connect(PAUSE_FIRST_MS, false);
    try {
      await bus.#connected();
    } catch (error) {
      await bus[Symbol.asyncDispose]();
      throw error;
    }
    return bus;
  }

  /**
   * Calls a method; waits a bounded time for a lost connection to come back,
   * but never sends a call twice. Throws what {@link BusConnection.call} throws.
   */
  async call(call: BusCall): Promise<readonly unknown[]> {
    const connection = this.#connection ?? (await this.#connected());
    return connection.call(call);
  }

  /** Ends the connection for good. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#isDisposed = true;
    if (this.#retry !== null) clearTimeout(this.#retry);
    this.#connection?.close();
    this.#connection = null;
    this.#wake();
  }

  async #connect(pauseMs: number, isAgain: boolean): Promise<void> {
    let connection: BusConnection | null = null;
    try {
      connection = await BusConnection.open(this.#options.address, {
        signal: this.#options.signal,
        closed: () => this.#closed(connection),
      });
      await this.#options.prepare(connection);
      if (this.#isDisposed) return connection.close();
      this.#connection = connection;
      this.#wake();
      if (isAgain) this.#options.restored();
    } catch (error) {
      this.#lastFailure = error instanceof Error ? error.message : String(error);
      connection?.close();
      if (this.#isDisposed) return;
      const nextMs = Math.min(2 * pauseMs, PAUSE_MAX_MS);
      this.#retry = setTimeout(() => void this.#connect(nextMs, isAgain), pauseMs);
    }
  }

  #closed(connection: BusConnection | null): void {
    if (connection === null || connection !== this.#connection) return;
    this.#connection = null;
    if (this.#isDisposed) return;
    this.#options.lost();
    void this.#connect(PAUSE_FIRST_MS, true);
  }

  /** The connection, waited for. */
  #connected(): Promise<BusConnection> {
    return new Promise((resolve, reject) => {
      const settle = (): void => {
        clearTimeout(timer);
        this.#waiters = this.#waiters.filter((waiter) => waiter !== settle);
        if (this.#connection !== null) resolve(this.#connection);
        else reject(this.#missing());
      };
      const timer = setTimeout(settle, BUS_RECONNECT_WAIT_MS);
      this.#waiters.push(settle);
    });
  }

  #wake(): void {
    for (const waiter of [...this.#waiters]) waiter();
  }

  #missing(): SpawnError {
    const reason = this.#isDisposed ? 'it is closed' : this.#lastFailure;
    return new SpawnError(
      'host.systemd-missing',
      `The system bus at ${this.#options.address} cannot be used: ${reason}.`,
      {
        remedy: 'Check that systemd is PID 1 and that dbus.socket runs (systemctl status dbus.socket).',
      },
    );
  }
}
