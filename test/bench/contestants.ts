import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Daemon } from './api-start.ts';
import { type HandPlan, systemdRunLine } from './by-hand.ts';
import { cardText } from './card.ts';
import type { Contestant } from './contestant.ts';
import { withoutDaemon } from './daemon-pause.ts';
import { NAMES } from './goals.ts';
import { type Program, timeProgram } from './program.ts';
import { type Rival, rivalContestant } from './rival.ts';

/** What the contestants work with. */
export interface Stage {
  readonly daemon: Daemon;
  readonly daemonPid: number;
  /** Plan of the agent {@link HOLDER}, with `true` as its command. */
  readonly plan: HandPlan;
  readonly workspaces: string;
  /** An empty directory for files of the benchmark itself. */
  readonly directory: string;
  readonly rivals: readonly Rival[];
}

/** Id of the idle agent whose user, workspace and made-up files the sandbox by hand uses. */
export const HOLDER = 'bench-by-hand';

/** Its output is what the first byte is measured by. */
const ECHO = ['echo', 'x'];

/** Everybody who takes part, us included. */
export function allContestants(stage: Stage): readonly Contestant[] {
  const foreground = join(stage.directory, 'foreground.json');
  writeFileSync(foreground, cardText({ id: 'bench-foreground', command: ['true'] }, stage.workspaces));
  const { plan } = stage;
  const others = [
    program(NAMES.node, 'node -e 0', { argv: [process.execPath, '-e', '0'] }),
    program('bwrap', 'the bubblewrap line alone, with the uid of the agent', { argv: plan.bwrap, user: plan.user }),
    program('systemd-run', 'systemd-run --wait --pipe true', { argv: ['systemd-run', '--wait', '--pipe', 'true'] }),
    program(NAMES.byHand, 'the sandbox by hand: systemd-run with all properties, bubblewrap, true', {
      argv: systemdRunLine(plan.unitText),
    }),
    ...stage.rivals.map((rival) => rivalContestant(rival, stage.directory)),
  ];
  const scene = withoutDaemon(stage.daemonPid);
  return [
    ...others.map((contestant) => ({ ...contestant, scene })),
    program(NAMES.foreground, 'agent-spawn card.json in the foreground', { argv: ['agent-spawn', foreground] }),
    ...apiContestants(stage),
    program(NAMES.version, 'the command line alone', { argv: ['agent-spawn', '--version'] }),
  ];
}

/** Those who take part in the comparison beside idle agents: the next agent, and what the host itself makes of it. */
export function nextContestants(stage: Stage): readonly Contestant[] {
  const isCompared = ({ name }: Contestant): boolean => name === NAMES.api || name === NAMES.byHand;
  return allContestants(stage).filter(isCompared);
}

function apiContestants({ daemon }: Stage): readonly Contestant[] {
  let count = 0;
  return [
    {
      name: NAMES.api,
      description: 'API call to first byte and to exit, attached',
      start: () => daemon.timeAttached('bench-api', ECHO),
    },
    {
      name: 'api, new',
      description: 'the same with an agent that never ran before',
      start: () => {
        count += 1;
        return daemon.timeAttached(`bench-new-${count}`, ECHO);
      },
    },
  ];
}

function program(name: string, description: string, what: Program): Contestant {
  return { name, description, start: () => timeProgram(what) };
}
