import { linkUnitName, unitName, userName } from '../base/ids.ts';
import { MAX_ARGUMENT_BYTES } from '../base/limits.ts';
import { ok, type Problem, type Result, refused } from '../base/result.ts';
import type { ResolvedCard } from '../card/resolve.ts';
import type { Identity } from './access.ts';
import { type BindsPlan, planBinds } from './binds.ts';
import { BWRAP_OPTIONS_NEEDED, renderBwrap } from './bwrap.ts';
import { type CommandPlan, planCommand, programQuery } from './command.ts';
import { unenforced } from './enforcement.ts';
import { type EnvironmentVariable, planEnvironment } from './environment.ts';
import type { FactQuery, HostFacts, SystemFacts } from './facts.ts';
import { planGeneratedFiles } from './generated-files.ts';
import { type HomePlan, planHome } from './home.ts';
import {
  credentialProblems,
  heldKeys,
  KEYS_DESCRIPTOR,
  type KeyEnvironment,
  keyNotices,
  planKeyEnvironment,
} from './key-environment.ts';
import { type LaunchPlan, planLaunch } from './launch.ts';
import type { Mount } from './mount.ts';
import { planMounts } from './mounts.ts';
import { type NetworkPlan, planNetwork } from './network.ts';
import { PRESETS } from './presets.ts';
import { planProperties, stdioProperties } from './properties.ts';
import { type PublishAddresses, type PublishPlan, planPublish, publishedPaths, publishSteps } from './publish.ts';
import type { Step } from './step.ts';
import type { UnitProperty } from './unit-property.ts';
import { renderUnitText } from './unit-text.ts';
import { userClaimProblems } from './user-claims.ts';
import { DEFAULT_VETH_RANGE } from './veth.ts';
import { planWorkspace, type UidRange, type WorkspacePlan } from './workspace.ts';

/** A card, what the caller adds to it, and what the daemon knows by itself. */
export interface PlanRequest {
  readonly card: ResolvedCard;
  /** Appended to the agent's command. */
  readonly arguments: readonly string[];
  /** The uid reserved for this agent id. */
  readonly agentUid: number;
  readonly uidRange: UidRange;
  /** Directory that holds one run directory per agent. */
  readonly agentsRunDirectory: string;
  /** Directory that holds one directory per agent with a home of its own. */
  readonly homesDirectory: string;
  /** Addresses of the host that ports may be published on; loopback only when absent. */
  readonly publishAddresses?: readonly PublishAddresses[];
  /** Agents may use the network of the host; not when absent. */
  readonly allowHostNetwork?: boolean;
  /** Upstream proxy, a URL, of agents whose card names none; none when absent. */
  readonly proxy?: string | null;
  /** Range of addresses for links; the usual one when absent. */
  readonly vethRange?: string;
  /** Number of the link reserved for this agent id; null when there is none left, or none is wanted. */
  readonly linkIndex: number | null;
  /** An agent of this id runs: its published ports are open already. */
  readonly isRunning?: boolean;
}

/** One agent, completely decided. Printed by two renderers, applied by one engine. */
export interface Plan {
  readonly id: string;
  readonly unit: string;
  readonly user: { readonly name: string; readonly uid: number; readonly gid: number; readonly reason: string };
  readonly workspace: WorkspacePlan;
  readonly home: HomePlan;
  readonly mounts: readonly Mount[];
  readonly environment: readonly EnvironmentVariable[];
  /** Keys that the agent gets itself; null for none. */
  readonly keys: KeyEnvironment | null;
  readonly network: NetworkPlan;
  readonly publish: PublishPlan;
  readonly bwrap: readonly string[];
  /** Properties of the unit, standard streams excepted. */
  readonly properties: readonly UnitProperty[];
  /** What happens before the unit starts, in order. */
  readonly preparation: readonly Step[];
  /** Sentences the user should see. */
  readonly notices: readonly string[];
}

/** What the agent runs, what it sees of the host, and how it is connected. */
interface PlanParts {
  readonly program: CommandPlan & LaunchPlan;
  readonly binds: BindsPlan;
  readonly home: HomePlan;
  readonly publish: PublishPlan;
  readonly network: NetworkPlan;
}

/** The agent's directory below `/run` and what it holds. */
interface RunDirectory {
  readonly directory: string;
  readonly files: ReturnType<typeof planGeneratedFiles>;
}

/** What must be asked of the host before {@link planAgent}. */
export function factQuery(card: ResolvedCard): FactQuery {
  return {
    workspace: card.workspace,
    binds: card.filesystem.readOnly,
    sockets: publishedPaths(card),
    user: userName(card.agentId),
    program: programQuery(programName(card), card.workspace),
    wantsCredential: heldKeys(card).length > 0,
  };
}

/** Decides everything about one agent. Pure and total: the same inputs give the same plan, byte for byte. */
export function planAgent(request: PlanRequest, facts: HostFacts): Result<Plan> {
  const { card } = request;
  const early = earlyProblems(card, facts);
  const workspace = planWorkspace({ facts: facts.workspace, agentUid: request.agentUid, range: request.uidRange });
  if (!workspace.ok) return refused([...early, ...workspace.problems]);
  const who = workspace.value.identity;
  const run = `${request.agentsRunDirectory}/${card.agentId}`;
  const parts = planParts(request, facts, who, run);
  if (!parts.ok) return refused([...early, ...parts.problems]);
  if (early.length > 0) return refused(early);
  const { program, binds, home, publish, network } = parts.value;

  const user = { name: userName(card.agentId), uid: who.uid, gid: who.gid, reason: workspace.value.reason };
  const files = planGeneratedFiles({
    id: card.agentId,
    user: user.name,
    identity: who,
    home: home.path,
    resolvers: network.veth?.resolvers ?? [],
    preset: program.files,
  });
  const runDirectory = { directory: run, files };
  const inside = planInside(card, facts.system, { user: user.name, run: runDirectory, ...parts.value });
  const keys = planKeyEnvironment(card, inside.environment, run);
  const tooLong = argumentProblems(inside.bwrap);
  if (tooLong.length > 0 || !keys.ok) return refused([...tooLong, ...(keys.ok ? [] : keys.problems)]);
  return ok({
    id: card.agentId,
    unit: unitName(card.agentId),
    user,
    workspace: workspace.value,
    home,
    ...inside,
    keys: keys.value,
    network,
    publish,
    properties: [
      ...properties(card, facts.system, {
        user: user.name,
        bwrap: inside.bwrap,
        keysFile: keys.value?.file ?? null,
        network,
        unitBinds: binds.unitBinds,
      }),
      ...home.properties,
      ...publish.properties,
    ],
    preparation: [
      ...preparation(card, user, workspace.value, runDirectory),
      ...home.steps,
      ...publishSteps(publish),
      ...linkSteps(card.agentId, run, network),
      ...secretSteps(keys.value, network),
    ],
    notices: [...keyNotices(keys.value), ...network.notices, ...program.notices],
  });
}

/** What does not depend on one another; what is wrong with any of it is reported together. */
function planParts(request: PlanRequest, facts: HostFacts, who: Identity, runDirectory: string): Result<PlanParts> {
  const { card } = request;
  const hasRelay = card.network.mode === 'isolated' || card.network.mode === 'veth';
  const launch = planLaunch(card, request.arguments, hasRelay);
  const preset = card.command === null ? card.agent : null;
  const words = launch.ok ? launch.value.command : [programName(card)];
  const command = planCommand(
    { words, readsInput: !launch.ok || launch.value.readsInput, preset },
    facts.program,
    who,
    facts.system,
  );
  const binds = planBinds({
    requested: facts.binds,
    program: command.ok ? command.value.binds : [],
    who,
    workspace: card.workspace,
    runDirectory,
  });
  const shown = binds.ok ? binds.value.binds : card.filesystem.readOnly.map((path) => ({ destination: path }));
  const home = planHome({ card, identity: who, binds: shown, homesDirectory: request.homesDirectory });
  const [publish, network] = [planWaysIn(request, facts), planWaysOut(request, facts)];
  const problems = [launch, command, binds, home, publish, network].flatMap((part) => (part.ok ? [] : part.problems));
  if (!launch.ok || !command.ok || !binds.ok || !home.ok || !publish.ok || !network.ok) return refused(problems);
  const notices = [...launch.value.notices, ...command.value.notices];
  const program = { ...launch.value, ...command.value, notices };
  const ways = { publish: publish.value, network: network.value };
  return ok({ program, binds: binds.value, home: home.value, ...ways });
}

/** The first word of the agent's command, before it is looked up. */
function programName(card: ResolvedCard): string {
  return card.command?.[0] ?? PRESETS[card.agent].program;
}

function planWaysIn({ card, publishAddresses, isRunning }: PlanRequest, facts: HostFacts): Result<PublishPlan> {
  const { sockets, system } = facts;
  return planPublish({
    card,
    addresses: publishAddresses ?? ['loopback'],
    sockets,
    relayPath: system.socketProxydPath,
    isRunning: isRunning ?? false,
  });
}

function planWaysOut(request: PlanRequest, facts: HostFacts): Result<NetworkPlan> {
  const range = request.vethRange ?? DEFAULT_VETH_RANGE;
  return planNetwork(request.card, {
    allowHostNetwork: request.allowHostNetwork ?? false,
    proxy: request.proxy ?? null,
    isEgressInstalled: facts.isEgressInstalled,
    socketProxydPath: facts.system.socketProxydPath,
    link: { range, index: request.linkIndex, tools: facts.networkTools },
  });
}

/** What the agent sees: mounts and environment, and the command of bubblewrap that makes them. */
function planInside(
  card: ResolvedCard,
  system: SystemFacts,
  rest: {
    readonly user: string;
    readonly run: RunDirectory;
  } & PlanParts,
): Pick<Plan, 'mounts' | 'environment' | 'bwrap'> {
  const environment = planEnvironment({
    id: card.agentId,
    user: rest.user,
    home: rest.home.path,
    environment: card.environment,
    system,
    programDirectories: rest.program.directories,
    proxyUrl: rest.network.proxyUrl,
    program: rest.program.variables,
  });
  const mounts = planMounts({
    system,
    runDirectory: rest.run.directory,
    files: rest.run.files,
    binds: rest.binds.binds,
    workspace: card.workspace,
    home: rest.home,
    directories: rest.program.writable,
    tmpBytes: card.limits.tmpBytes,
  });
  const bwrap = renderBwrap({
    bwrapPath: system.bwrapPath ?? '',
    hostname: card.agentId,
    mounts,
    environment,
    optionsDescriptor: heldKeys(card).length === 0 ? null : KEYS_DESCRIPTOR,
    command: rest.program.command,
  });
  return { mounts, environment, bwrap };
}

/** The unit file a declared agent gets: the same properties as a spawned one, with its streams in the journal. */
export function unitText(plan: Plan, header: readonly string[]): string {
  return renderUnitText([...plan.properties, ...stdioProperties({ kind: 'journal' })], header);
}

function properties(
  card: ResolvedCard,
  system: SystemFacts,
  rest: {
    user: string;
    bwrap: readonly string[];
    keysFile: string | null;
    network: NetworkPlan;
    unitBinds: Parameters<typeof planProperties>[0]['unitBinds'];
  },
): readonly UnitProperty[] {
  return planProperties({
    id: card.agentId,
    unit: unitName(card.agentId),
    description: card.description ?? `AI agent ${card.agentId}`,
    user: rest.user,
    bwrap: rest.bwrap,
    exitReportPath: system.exitReportPath,
    limits: card.limits,
    ttlSeconds: card.ttlSeconds,
    stopTimeoutSeconds: card.stopTimeoutSeconds,
    restart: card.restart,
    privateNetwork: rest.network.privateNamespace && rest.network.veth === null,
    link: rest.network.veth,
    hasRelay: rest.network.egress !== null,
    unitBinds: rest.unitBinds,
    keysFile: rest.keysFile,
  });
}

function preparation(
  card: ResolvedCard,
  user: Plan['user'],
  workspace: WorkspacePlan,
  run: RunDirectory,
): readonly Step[] {
  return [
    {
      kind: 'identity.publish',
      arguments: { user: user.name, uid: user.uid, gid: user.gid, description: `agent ${card.agentId}` },
    },
    { kind: 'files.write', arguments: { directory: run.directory, files: run.files } },
    {
      kind: 'workspace.prepare',
      arguments: {
        path: workspace.path,
        create: workspace.create,
        uid: user.uid,
        gid: user.gid,
        replaceUid: workspace.replaceUid,
      },
    },
  ];
}

function linkSteps(id: string, directory: string, { veth }: NetworkPlan): readonly Step[] {
  if (veth === null) return [];
  return [{ kind: 'link.prepare', arguments: { unit: linkUnitName(id), directory, files: veth.files } }];
}

/** What hands out secrets, to the agent itself or to the proxy, comes last. */
function secretSteps(keys: KeyEnvironment | null, { egress }: NetworkPlan): readonly Step[] {
  const held: readonly Step[] = keys === null ? [] : [{ kind: 'keys.write', arguments: keys }];
  if (egress === null) return held;
  const { table, secrets } = egress;
  return [...held, { kind: 'egress.register', arguments: { table, secrets } }];
}

/** What is wrong whatever the rest of the plan turns out to be. */
function earlyProblems(card: ResolvedCard, facts: HostFacts): readonly Problem[] {
  return [
    ...unenforced(card),
    ...bwrapProblems(facts.system),
    ...credentialProblems(facts),
    ...userClaimProblems(userName(card.agentId), facts.userClaims),
  ];
}

function bwrapProblems(system: SystemFacts): readonly Problem[] {
  if (system.bwrapPath === null) {
    return [
      {
        code: 'host.bubblewrap-missing',
        pointer: '',
        message: 'bubblewrap (bwrap) is not installed on this host.',
        suggestion: 'Install the package "bubblewrap".',
      },
    ];
  }
  const missing = BWRAP_OPTIONS_NEEDED.filter((option) => !system.bwrapOptions.includes(option));
  if (missing.length === 0) return [];
  return [
    {
      code: 'host.bubblewrap-missing',
      pointer: '',
      message: `The bubblewrap at ${system.bwrapPath} does not know ${missing.join(', ')}.`,
      suggestion: 'Install a newer bubblewrap; 0.8 has them all.',
    },
  ];
}

/** execve(2) refuses a single argument longer than 128 KiB (MAX_ARG_STRLEN), so it is refused here with a name. */
function argumentProblems(argv: readonly string[]): readonly Problem[] {
  const long = argv.find((word) => Buffer.byteLength(word) >= MAX_ARGUMENT_BYTES);
  if (long === undefined) return [];
  return [
    {
      code: 'card.out-of-range',
      pointer: '',
      message: `One argument or variable of the agent is ${Buffer.byteLength(long)} bytes long; the kernel takes ${MAX_ARGUMENT_BYTES - 1}.`,
      suggestion: 'Put long text in a file of the workspace.',
    },
  ];
}
