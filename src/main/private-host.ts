import { SpawnError } from '../base/errors.ts';
import { bootPrivateHost } from '../private-host/boot.ts';
import { callerDirectory } from '../private-host/caller.ts';
import type { CgroupLayout } from '../private-host/cgroup-layout.ts';
import { type CommandRequest, parseCommandLine, USAGE } from '../private-host/command-line.ts';
import { writeJournal } from '../private-host/journal.ts';
import { Interrupted, Session } from '../private-host/session.ts';

/** Exit status of every failure that is not the command's own, as of env(1) and timeout(1). */
const FAILED = 125;

const LAYOUTS: Readonly<Record<CgroupLayout, string>> = {
  v1: 'cgroups of version 1',
  v2: 'cgroups of version 2',
  hybrid: 'hybrid cgroups, controllers in version 1',
};

/** Standard output is the command's alone. */
function report(message: string): void {
  process.stderr.write(`private host: ${message}\n`);
}

async function runCommand(request: CommandRequest): Promise<number> {
  const session = new Session();
  const host = await bootPrivateHost({
    isBare: request.isBare,
    signal: session.interruption,
    onLayout: (layout) => report(LAYOUTS[layout]),
  });
  try {
    const status = await session.run(host, request.argv);
    if (request.journalFile !== null) await writeJournal(host, request.journalFile);
    return status;
  } finally {
    await host.stop();
  }
}

async function main(): Promise<number> {
  try {
    const request = parseCommandLine(process.argv.slice(2), callerDirectory());
    if (request.kind === 'command') return await runCommand(request);
    process.stdout.write(USAGE);
    return 0;
  } catch (error) {
    if (error instanceof Interrupted) return error.status;
    if (!(error instanceof SpawnError)) throw error;
    report(error.remedy === undefined ? error.message : `${error.message}; ${error.remedy}`);
    return FAILED;
  }
}

// A reader of standard error that has gone away is no reason to leave the host running.
process.stderr.on('error', () => undefined);
main().then(
  (status) => {
    process.exitCode = status;
  },
  (error: unknown) => {
    report(error instanceof Error ? (error.stack ?? error.message) : String(error));
    process.exitCode = FAILED;
  },
);
