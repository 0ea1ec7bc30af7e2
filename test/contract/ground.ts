import type { Host } from '../../src/host/host.ts';
import type { UnitProperty } from '../../src/plan/unit-property.ts';

/** What a unit of the contract suite does once it is started. */
export type UnitConduct = 'runs' | 'fails-with-3' | 'has-no-program';

/** A host and a place on it for one test of the contract suite. */
export interface Ground extends AsyncDisposable {
  readonly host: Host;
  /** An empty directory of root's that is the test's own. */
  readonly directory: string;
  /** Prepares a unit of an agent and returns the properties to start it with. */
  unit(name: string, conduct: UnitConduct): readonly UnitProperty[];
  /** Kills the egress proxy; another one comes when it is asked for. */
  endEgress(): Promise<void>;
  /** Resolves when the program of a started unit may have ended by itself. */
  letEnd(name: string): void;
}
