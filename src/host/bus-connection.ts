import type { Socket } from 'node:net';
import { Message, type MessageBus, MessageType, sessionBus } from '@particle/dbus-next';
import { BUS_CALL_TIMEOUT_MS, BUS_CALLS_AT_ONCE_MAX } from '../base/limits.ts';
import { CallQueue } from './call-queue.ts';

/** One method call. */
export interface BusCall {
  readonly destination: string;
  readonly path: string;
  readonly interface: string;
  readonly member: string;
  /** D-Bus signature of the arguments; none for a call without. */
  readonly signature?: string;
  /** Arguments; variants are dbus-next's. */
  readonly body?: readonly unknown[];
}

/** One signal that was received. */
export interface BusSignal {
  /** Unique name of the sender; the bus itself sets it, so it cannot be forged. */
  readonly sender: string;
  readonly path: string;
  readonly interface: string;
  readonly member: string;
  readonly body: readonly unknown[];
}

/** What a connection tells its owner. */
export interface BusReceiver {
  signal(signal: BusSignal): void;
  /** The connection is gone; called once, after every pending call was rejected. */
  closed(): void;
}

/** The connection ended, or the answer did not come in time. */
export class BusUnavailable extends Error {
  override readonly name = 'BusUnavailable';
}

/** The part of dbus-next's connection that its types leave out: only the socket tells that a connection ended. */
interface Wire {
  readonly _connection: { readonly stream: Socket };
}

/** One authenticated connection to a message bus. */
export class BusConnection {
  readonly #bus: MessageBus;
  readonly #stream: Socket;
  readonly #receiver: BusReceiver;
  readonly #calls = new CallQueue(BUS_CALLS_AT_ONCE_MAX);
  readonly #pending = new Set<(error: Error) => void>();
  #isClosed = false;

  private constructor(address: string, receiver: BusReceiver) {
    // Named after the session bus, but it is the one that takes an address instead of reading the environment.
    this.#bus = sessionBus({ busAddress: address, authMethods: ['EXTERNAL'] });
    this.#stream = (this.#bus as unknown as Wire)._connection.stream;
    this.#receiver = receiver;
    this.#bus.on('error', (error: unknown) => this.#close(describe(error)));
    this.#stream.on('close', () => this.#close('the connection was closed'));
    this.#bus.on('message', (message) => {
      if (message.type === MessageType.SIGNAL && !this.#isClosed) receiver.signal(message);
    });
  }

  /** Connects, authenticates as the user of this process, and says Hello. Throws {@link BusUnavailable}. */
  static async open(address: string, receiver: BusReceiver): Promise<BusConnection> {
    const connection = new BusConnection(address, receiver);
    await connection.#answered(new Promise<void>((resolve) => connection.#bus.on('connect', resolve)));
    return connection;
  }

  /** Calls a method and resolves with its results. Throws dbus-next's `DBusError`, or {@link BusUnavailable}. */
  async call(call: BusCall): Promise<readonly unknown[]> {
    const message = new Message({ ...call, body: [...(call.body ?? [])] });
    const reply = await this.#calls.pass(() => {
      if (this.#isClosed) throw new BusUnavailable('the connection was closed');
      return this.#answered(this.#bus.call(message));
    });
    return reply?.body ?? [];
  }

  /** Ends the connection; pending calls are rejected. */
  close(): void {
    this.#close('the connection was closed');
  }

  /** Bounds the wait for an answer; dbus-next itself waits forever, also on a connection that is gone. */
  #answered<T>(answer: Promise<T>): Promise<T> {
    return new Promise((resolve, reject) => {
      const fail = (error: unknown): void => {
        clearTimeout(timer);
        this.#pending.delete(fail);
        reject(error instanceof Error ? error : new BusUnavailable(describe(error)));
      };
      const timer = setTimeout(() => fail(new BusUnavailable('no answer in time')), BUS_CALL_TIMEOUT_MS);
      this.#pending.add(fail);
      answer.then((value) => {
        clearTimeout(timer);
        this.#pending.delete(fail);
        resolve(value);
      }, fail);
    });
  }

  #close(reason: string): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#stream.destroy();
    for (const fail of [...this.#pending]) fail(new BusUnavailable(reason));
    this.#receiver.closed();
  }
}

function describe(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
