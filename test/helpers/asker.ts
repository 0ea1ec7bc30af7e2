import { readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { awaitFile, inTime } from './commands.ts';

/** What the proxy answered an agent. */
export interface ProxyAnswer {
  /** HTTP status; 0 when there was no answer. */
  readonly status: number;
  /** All of it, or what went wrong. */
  readonly text: string;
}

let serial = 0;

/** Has the agent `test/agents/asker.py` of a workspace ask the proxy for a host, `NAME:PORT`. */
export async function askProxy(workspace: string, target: string): Promise<ProxyAnswer> {
  serial += 1;
  const [asked, answered] = [join(workspace, `ask-${serial}`), join(workspace, `answer-${serial}`)];
  writeFileSync(join(workspace, '.ask'), target);
  renameSync(join(workspace, '.ask'), asked);
  await awaitFile(answered);
  const text = readFileSync(answered, 'utf8');
  rmSync(answered);
  return { status: Number(/^HTTP\/1\.1 ([0-9]{3}) /.exec(text)?.[1] ?? 0), text };
}

/** Asks until the answer has a status; returns the statuses before it. */
export async function askUntil(workspace: string, target: string, status: number): Promise<readonly number[]> {
  const before: number[] = [];
  const asking = async (): Promise<void> => {
    for (;;) {
      const answer = await askProxy(workspace, target);
      if (answer.status === status) return;
      before.push(answer.status);
    }
  };
  await inTime(asking(), `${target} to answer ${status}`);
  return before;
}
