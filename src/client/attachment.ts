import { accessSync, closeSync, constants, existsSync, mkdirSync, openSync, readSync, rmSync } from 'node:fs';
import { createServer, type Server, type Socket } from 'node:net';
import { dirname } from 'node:path';
import { SpawnError } from '../base/errors.ts';
import { unavailable } from './unavailable.ts';

/** Standard streams of an agent. */
export type StreamName = 'stdin' | 'stdout' | 'stderr';

/** What to do with the agent's end of each stream; called again when systemd restarts the agent. */
export type StreamReceivers = Readonly<Record<StreamName, (connection: Socket) => void>>;

const TOKEN_BYTES = 16;

/**
 * A directory of listening sockets beside the API socket. PID 1 connects the
 * standard streams of an attached agent to them, so that the bytes go straight
 * between caller and agent. Closing removes it.
 */
export class Attachment implements Disposable {
  /** Name of the directory, for the launch request. */
  readonly token: string;
  readonly #directory: string;
  readonly #servers: readonly Server[];

  /** Throws `control.unavailable` when the daemon's directory is not there, `control.forbidden` when it is not ours to use. */
  constructor(socketPath: string, receivers: StreamReceivers) {
    this.token = randomToken();
    this.#directory = `${dirname(socketPath)}/attach/${this.token}`;
    makeDirectory(this.#directory, socketPath);
    // PID 1 shuts down the direction a stream does not have; the other one must stay open.
    const streams = (['stdin', 'stdout', 'stderr'] as const).map(
      (name) => [name, createServer({ allowHalfOpen: true }, receivers[name])] as const,
    );
    this.#servers = streams.map(([, server]) => server);
    try {
      for (const [name, server] of streams) listenAt(server, `${this.#directory}/${name}.sock`);
    } catch (error) {
      this[Symbol.dispose]();
      throw error;
    }
  }

  /** Stops listening and removes the directory. Connections that were made go on. */
  [Symbol.dispose](): void {
    for (const server of this.#servers) server.close();
    rmSync(this.#directory, { recursive: true, force: true });
  }
}

function makeDirectory(path: string, socketPath: string): void {
  try {
    mkdirSync(path, { mode: 0o700 });
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'EACCES' && mayCall(socketPath)) throw noStreams(error, dirname(path));
    if (code !== 'ENOENT' || !existsSync(socketPath)) throw unavailable(error, socketPath);
    throw new SpawnError('control.unavailable', `The directory ${dirname(path)} does not exist.`, {
      remedy: 'systemd-tmpfiles --create agent-spawn.conf',
      cause: error,
    });
  }
}

/** Whether the API would let us in, though the directory of streams does not. */
function mayCall(socketPath: string): boolean {
  try {
    accessSync(socketPath, constants.W_OK);
    return true;
  } catch {
    return false;
  }
}

function noStreams(cause: unknown, directory: string): SpawnError {
  return new SpawnError(
    'control.forbidden',
    `Agents in the foreground need ${directory}, which is closed to this user.`,
    {
      remedy: `Start the agent with --detach; or let root open ${directory} to the group of callers (tmpfiles.d: mode 1730).`,
      cause,
    },
  );
}

/** The socket is there when this returns; only the event of Node comes later. */
function listenAt(server: Server, path: string): void {
  server.on('error', () => undefined);
  server.listen(path);
  if (!server.listening) throw new SpawnError('control.unavailable', `Cannot listen at ${path}.`);
}

/** Random hex digits, straight from the kernel: loading `crypto` costs 5 ms of each start. */
function randomToken(): string {
  const bytes = Buffer.alloc(TOKEN_BYTES);
  const random = openSync('/dev/urandom', 'r');
  try {
    readSync(random, bytes);
  } finally {
    closeSync(random);
  }
  return bytes.toString('hex');
}
