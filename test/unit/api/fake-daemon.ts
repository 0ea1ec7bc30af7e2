import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { ApiServer } from '../../../src/api/server.ts';
import { FakeOperations } from './fake-operations.ts';

/** The real API server on a real socket, with operations that are played. */
export interface FakeDaemon {
  readonly directory: string;
  readonly socketPath: string;
  readonly operations: FakeOperations;
  /** What the server reported to its owner. */
  readonly errors: unknown[];
  server: ApiServer;
  /** Whom the server takes callers for. */
  peerUid: () => number;
  /** Ends the server and listens again, as a restarted daemon does; agents go on. */
  restart(): Promise<void>;
}

/** Uid that the fake says every caller has. */
export const CALLER_UID = 4711;

/** Starts a fake daemon that ends with the test. */
export async function startFakeDaemon(t: TestContext): Promise<FakeDaemon> {
  const directory = mkdtempSync(join(tmpdir(), 'agent-spawn-api-'));
  mkdirSync(join(directory, 'attach'));
  const socketPath = join(directory, 'api.sock');
  const operations = new FakeOperations(join(directory, 'attach'));
  const errors: unknown[] = [];
  const listen = (): Promise<ApiServer> =>
    ApiServer.listen([{ path: socketPath }], {
      operations,
      peerUid: () => daemon.peerUid(),
      onError: (error) => errors.push(error),
    });
  const daemon: FakeDaemon = {
    ...{ directory, socketPath, operations, errors, server: await listen(), peerUid: () => CALLER_UID },
    restart: async () => {
      await daemon.server[Symbol.asyncDispose]();
      daemon.server = await listen();
    },
  };
  t.after(async () => {
    operations.dispose();
    await daemon.server[Symbol.asyncDispose]();
    rmSync(directory, { recursive: true });
  });
  return daemon;
}
