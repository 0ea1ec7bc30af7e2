import { mkdtemp, rm } from 'node:fs/promises';
import type { UnitProperty } from '../../src/plan/unit-property.ts';
import type { Ground, UnitConduct } from '../contract/ground.ts';
import { testEgress } from '../contract/host-egress.ts';
import { testFiles } from '../contract/host-files.ts';
import { testUnits } from '../contract/host-units.ts';
import { openThisHost } from '../helpers/linux-host.ts';

const SIGKILL = 9;

const COMMANDS: Readonly<Record<UnitConduct, readonly string[]>> = {
  runs: ['/bin/sleep', '1000'],
  'fails-with-3': ['/bin/sh', '-c', 'exit 3'],
  'has-no-program': ['/nonexistent/program'],
};

/** The machine this runs on, and a directory of the test's own; its units are gone afterwards. */
async function openGround(): Promise<Ground> {
  const host = await openThisHost();
  const directory = await mkdtemp('/run/host-contract-');
  return {
    host,
    directory,
    unit: (_name, conduct) => properties(COMMANDS[conduct]),
    endEgress: () => host.units.kill('agent-egressd.service', SIGKILL),
    letEnd: () => undefined,
    [Symbol.asyncDispose]: async () => {
      for (const { unit } of await host.units.list('sandboxed-agent@*.service')) {
        await host.units.stop(unit);
        await host.units.resetFailed(unit);
      }
      await rm(directory, { recursive: true });
      await host[Symbol.asyncDispose]();
    },
  };
}

function properties(words: readonly string[]): readonly UnitProperty[] {
  return [
    { name: 'Type', signature: 's', value: 'exec' },
    { name: 'CollectMode', signature: 's', value: 'inactive' },
    { name: 'TasksAccounting', signature: 'b', value: true },
    { name: 'MemoryAccounting', signature: 'b', value: true },
    { name: 'ExecStartEx', signature: 'a(sasas)', value: [[words[0] ?? '', words, ['no-env-expand']]] },
  ];
}

testEgress('the real host', openGround);
testFiles('the real host', openGround);
testUnits('the real host', openGround);
