import type { AgentTable } from '../policy/table.ts';
import type { EgressSecrets } from './egress.ts';
import type { GeneratedFile, ShownFile } from './generated-files.ts';
import type { KeyEnvironment } from './key-environment.ts';
import type { PlannedPort } from './publish.ts';
import type { UnitFile } from './publish-units.ts';
import type { UnitProperty } from './unit-property.ts';

/**
 * Every kind of step with its arguments. Each has one executor and one undo in
 * `sandbox/executors.ts`; a kind without them does not compile.
 */
export interface StepArguments {
  /** userdb records, so that `User=` resolves. Undo removes them. */
  readonly 'identity.publish': {
    readonly user: string;
    readonly uid: number;
    readonly gid: number;
    readonly description: string;
  };
  /** Made-up files in the agent's run directory. Undo removes the directory. */
  readonly 'files.write': { readonly directory: string; readonly files: readonly ShownFile[] };
  /** Reads the keys that the agent gets itself and writes them for root alone. Undo removes them. */
  readonly 'keys.write': KeyEnvironment;
  /** Makes or re-owns the workspace. Undo removes the directories it made while they are empty; ownership stays. */
  readonly 'workspace.prepare': {
    readonly path: string;
    readonly create: boolean;
    readonly uid: number;
    readonly gid: number;
    readonly replaceUid: number | null;
  };
  /** Writes the unit of a home that outlives runs, and gives one that is there its new size. Undo removes a new one. */
  readonly 'home.prepare': { readonly directory: string; readonly unit: UnitFile; readonly bytes: number };
  /** Writes the units of published ports. Undo stops and removes them. */
  readonly 'publish.install': { readonly ports: readonly PlannedPort[]; readonly units: readonly UnitFile[] };
  /** Writes what the unit of the agent's link reads, for root alone. Undo stops that unit and removes the files. */
  readonly 'link.prepare': {
    readonly unit: string;
    readonly directory: string;
    readonly files: readonly GeneratedFile[];
  };
  /** Tells the egress proxy what the agent may reach, with the credentials that the files hold. Undo takes it back. */
  readonly 'egress.register': { readonly table: AgentTable; readonly secrets: EgressSecrets };
  /** Gives the sockets that a caller has for the agent's streams a name each that nobody can turn. Undo removes them. */
  readonly 'streams.take': {
    /** Of the caller's directory. */
    readonly token: string;
    readonly from: string;
    readonly directory: string;
    /** The caller, whose sockets they have to be. */
    readonly uid: number;
  };
  /** Writes the commands of a transient unit beside it. Undo removes them. */
  readonly 'commands.install': { readonly unit: string; readonly text: string };
  /** Starts the transient unit. Undo stops it and forgets a failure. */
  readonly 'unit.start': { readonly unit: string; readonly properties: readonly UnitProperty[] };
  /** Writes the unit file of a declared agent. Undo removes it. */
  readonly 'unit.install': { readonly path: string; readonly text: string };
}

/** Names of the step kinds. */
export type StepKind = keyof StepArguments;

/** One thing to do to the host. */
export type Step = {
  readonly [Kind in StepKind]: { readonly kind: Kind; readonly arguments: StepArguments[Kind] };
}[StepKind];

/** One line for people. */
export function describeStep(step: Step): string {
  switch (step.kind) {
    case 'identity.publish':
      return `publish the user ${step.arguments.user} (uid ${step.arguments.uid})`;
    case 'files.write':
      return `write ${step.arguments.files.map((file) => file.name).join(', ')} to ${step.arguments.directory}`;
    case 'keys.write':
      return `write the keys of ${step.arguments.keys.map(({ variable }) => variable).join(', ')} for root alone`;
    case 'workspace.prepare':
      return describeWorkspace(step.arguments);
    case 'home.prepare':
      return `prepare the home directory ${step.arguments.directory} of ${step.arguments.bytes} bytes`;
    case 'publish.install':
      return `publish ${step.arguments.ports.map(({ port, listen }) => `port ${port} at ${listen}`).join(', ')}`;
    case 'link.prepare':
      return `write ${step.arguments.files.map((file) => file.name).join(', ')} for ${step.arguments.unit}`;
    case 'egress.register':
      return describeEgress(step.arguments.table);
    case 'streams.take':
      return `take the streams of uid ${step.arguments.uid}`;
    case 'commands.install':
      return `write the commands of ${step.arguments.unit}`;
    case 'unit.start':
      return `start ${step.arguments.unit}`;
    case 'unit.install':
      return `write ${step.arguments.path}`;
  }
}

function describeEgress({ policy }: AgentTable): string {
  return `tell the egress proxy what may be reached (rules to allow: ${policy.allow.length}, to deny: ${policy.deny.length})`;
}

function describeWorkspace(order: StepArguments['workspace.prepare']): string {
  if (order.create) return `make the workspace ${order.path} for uid ${order.uid}`;
  if (order.replaceUid !== null) return `give what uid ${order.replaceUid} owns in ${order.path} to uid ${order.uid}`;
  return `check the workspace ${order.path}`;
}
