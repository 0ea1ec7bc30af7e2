import { linkedRelaySocketName, relaySocketName } from '../base/ids.ts';
import { SANDBOX_TASKS } from '../base/limits.ts';
import { parentOf } from '../base/paths.ts';
import type { ResolvedCard, ResolvedLimits } from '../card/resolve.ts';
import type { UnitBind } from './binds.ts';
import { KEYS_CREDENTIAL, keysCredentialPath } from './key-environment.ts';
import type { UnitProperty } from './unit-property.ts';
import { linkProperties, type VethPlan } from './veth.ts';

/** Slice of every agent. */
export const AGENTS_SLICE: string = 'agents.slice';

/** Everything the unit's properties are made of. */
export interface PropertiesInput {
  readonly id: string;
  readonly unit: string;
  readonly description: string;
  readonly user: string;
  readonly bwrap: readonly string[];
  readonly exitReportPath: string;
  readonly limits: ResolvedLimits;
  /** Seconds until PID 1 ends the agent; 0 for never. */
  readonly ttlSeconds: number;
  readonly stopTimeoutSeconds: number;
  readonly restart: ResolvedCard['restart'];
  /** True for a network namespace of the unit's own, with a loopback device and nothing else. */
  readonly privateNetwork: boolean;
  /** The link of an agent whose namespace has one, and is not the unit's own; null for any other agent. */
  readonly link: VethPlan | null;
  /** True for a relay to the egress proxy in the agent's namespace. */
  readonly hasRelay: boolean;
  readonly unitBinds: readonly UnitBind[];
  /** Root-only file with the keys that the agent gets itself; null for none. */
  readonly keysFile: string | null;
}

/** Where the unit's three standard streams go. */
export type Stdio = { readonly kind: 'journal' } | { readonly kind: 'sockets'; readonly directory: string };

const SIGTERM = 15;
const EPERM = 1;
const MICROSECONDS = 1_000_000n;
const RESTART_DELAY_SECONDS = 10n;

/**
 * System calls no agent needs and bubblewrap does not use. bubblewrap itself
 * runs under this filter, so `@mount` and `unshare` cannot be in it; inside,
 * they fail for want of capabilities and because user namespaces are off.
 */
const DENIED_SYSTEM_CALLS = [
  '@clock',
  '@cpu-emulation',
  '@debug',
  '@keyring',
  '@module',
  '@obsolete',
  '@raw-io',
  '@reboot',
  '@swap',
  'acct',
  'bpf',
  'fanotify_init',
  'fanotify_mark',
  'io_uring_enter',
  'io_uring_register',
  'io_uring_setup',
  'kcmp',
  'name_to_handle_at',
  'open_by_handle_at',
  'perf_event_open',
  'pidfd_getfd',
  'process_vm_readv',
  'process_vm_writev',
  'quotactl',
  'quotactl_fd',
  'setns',
  'userfaultfd',
  'vhangup',
];

/**
 * Kinds of socket an agent can open. The network namespace does not contain
 * the others: a vsock reaches the hypervisor from any namespace (vsock(7)).
 */
const SOCKET_FAMILIES = ['AF_UNIX', 'AF_INET', 'AF_INET6', 'AF_NETLINK'];

/**
 * Starts bubblewrap with an empty environment. What PID 1 gives to every unit
 * (`systemctl set-environment`, its own variables) is nowhere else to be
 * emptied, and the agent could read it in `/proc/1/environ`, since bubblewrap
 * is process 1 inside.
 */
const ENV_PROGRAM = '/usr/bin/env';

/** The unit of one agent, as the bus takes it. Order is the order of the unit file. */
export function planProperties(input: PropertiesInput): readonly UnitProperty[] {
  return [...unitGroup(input), ...serviceGroup(input), ...limitGroup(input.limits), ...confinementGroup(input)];
}

/** Properties that connect the standard streams; part of the start, not of the plan. */
export function stdioProperties(stdio: Stdio): readonly UnitProperty[] {
  if (stdio.kind === 'journal') {
    return [
      property('StandardInput', 's', 'null'),
      property('StandardOutput', 's', 'journal'),
      property('StandardError', 's', 'journal'),
    ];
  }
  return [
    property('StandardInputFile', 's', `${stdio.directory}/stdin.sock`),
    property('StandardOutputFile', 's', `${stdio.directory}/stdout.sock`),
    property('StandardErrorFile', 's', `${stdio.directory}/stderr.sock`),
  ];
}

function unitGroup(input: PropertiesInput): readonly UnitProperty[] {
  return [
    property('Description', 's', input.description),
    property('CollectMode', 's', 'inactive'),
    ...(input.hasRelay ? relayGroup(input) : []),
    ...(input.link === null ? [] : linkProperties(input.id, input.link)),
  ];
}

/** PID 1 opens the relay's socket inside the namespace, which the agent's unit then joins; it closes with the agent. */
function relayGroup({ id, link }: PropertiesInput): readonly UnitProperty[] {
  const socket = [link === null ? relaySocketName(id) : linkedRelaySocketName(id)];
  const needs = [property('Requires', 'as', socket), property('After', 'as', socket)];
  return link === null ? [...needs, property('JoinsNamespaceOf', 'as', socket)] : needs;
}

/**
 * How it runs and ends. `RestartPreventExitStatus=SIGTERM` keeps an agent that
 * its TTL ended from coming back: systemd counts that end as a failure, and
 * SIGTERM to bubblewrap's monitor is how it happens. `KillMode=control-group`
 * gives every process of the agent SIGTERM and its time to finish.
 */
function serviceGroup(input: PropertiesInput): readonly UnitProperty[] {
  const restarts =
    input.restart === 'no'
      ? []
      : [
          property('RestartUSec', 't', RESTART_DELAY_SECONDS * MICROSECONDS),
          property('RestartPreventExitStatus', '(aiai)', [[], [SIGTERM]]),
        ];
  const lifetime =
    input.ttlSeconds === 0 ? [] : [property('RuntimeMaxUSec', 't', BigInt(input.ttlSeconds) * MICROSECONDS)];
  return [
    property('Type', 's', 'exec'),
    startCommand(input),
    property('ExecStopPostEx', 'a(sasas)', [
      [input.exitReportPath, [input.exitReportPath, input.id], ['ignore-failure', 'privileged', 'no-env-expand']],
    ]),
    property('Restart', 's', input.restart),
    ...restarts,
    ...lifetime,
    property('TimeoutStopUSec', 't', BigInt(input.stopTimeoutSeconds) * MICROSECONDS),
    property('KillMode', 's', 'control-group'),
    property('Slice', 's', AGENTS_SLICE),
    property('SyslogIdentifier', 's', `agent-${input.id}`),
    // A number in angle brackets is a word of the agent's like any other, not the urgency of its line.
    property('SyslogLevelPrefix', 'b', false),
  ];
}

/** The launcher of keys comes before the environment is emptied, since a shell fills it again. */
function startCommand({ id, bwrap, exitReportPath, keysFile }: PropertiesInput): UnitProperty {
  const start = [ENV_PROGRAM, '-i', ...bwrap];
  const launcher = `${parentOf(exitReportPath)}/with-keys`;
  const words = keysFile === null ? start : [launcher, keysCredentialPath(id), ...start];
  return property('ExecStartEx', 'a(sasas)', [[words[0] ?? '', words, ['no-env-expand']]]);
}

/** Limits that PID 1 holds, so that they outlive the daemon. */
function limitGroup(limits: ResolvedLimits): readonly UnitProperty[] {
  const high = limits.memoryHighBytes === null ? [] : [property('MemoryHigh', 't', BigInt(limits.memoryHighBytes))];
  const quota =
    limits.cpuPercent === null
      ? []
      : [property('CPUQuotaPerSecUSec', 't', (BigInt(limits.cpuPercent) * MICROSECONDS) / 100n)];
  const io = limits.ioWeight === null ? [] : [property('IOWeight', 't', BigInt(limits.ioWeight))];
  return [
    property('CPUAccounting', 'b', true),
    property('CPUWeight', 't', BigInt(limits.cpuWeight)),
    ...quota,
    ...io,
    property('MemoryMax', 't', BigInt(limits.memoryMaxBytes)),
    property('MemorySwapMax', 't', 0n),
    ...high,
    property('TasksMax', 't', BigInt(limits.tasksMax + SANDBOX_TASKS)),
    property('OOMPolicy', 's', 'kill'),
    property('OOMScoreAdjust', 'i', 200),
    property('LimitCORE', 't', 0n),
    property('LimitNOFILE', 't', BigInt(limits.openFilesMax)),
  ];
}

/**
 * What bubblewrap cannot do for itself. Missing on purpose, since bubblewrap
 * fails or the agent's JIT breaks with them: RestrictSUIDSGID= and DynamicUser=
 * (openat2 answers ENOSYS), ProtectKernelTunables=, ProtectKernelLogs=,
 * ProcSubset= (no fresh /proc), RestrictNamespaces=, `~@mount`,
 * MemoryDenyWriteExecute=. Mount-namespace settings such as ProtectSystem= add
 * milliseconds to each start and nothing the sandbox's own root does not hide.
 * RemoveIPC= would take the shared memory of a real user with it when the agent
 * in the user's checkout ends; an agent's own is gone with its namespace.
 */
function confinementGroup(input: PropertiesInput): readonly UnitProperty[] {
  const binds = input.unitBinds.map((bind) => [bind.source, bind.destination, false, 0n] as const);
  return [
    property('User', 's', input.user),
    ...(input.keysFile === null ? [] : [property('LoadCredential', 'a(ss)', [[KEYS_CREDENTIAL, input.keysFile]])]),
    property('NoNewPrivileges', 'b', true),
    property('CapabilityBoundingSet', 't', 0n),
    property('AmbientCapabilities', 't', 0n),
    property('KeyringMode', 's', 'private'),
    property('LockPersonality', 'b', true),
    ...(input.privateNetwork ? [property('PrivateNetwork', 'b', true)] : []),
    property('RestrictAddressFamilies', '(bas)', [true, SOCKET_FAMILIES]),
    property('RestrictRealtime', 'b', true),
    property('SystemCallArchitectures', 'as', ['native']),
    property('SystemCallErrorNumber', 'i', EPERM),
    property('SystemCallFilter', '(bas)', [false, DENIED_SYSTEM_CALLS]),
    ...(binds.length === 0 ? [] : [property('BindReadOnlyPaths', 'a(ssbt)', binds)]),
  ];
}

function property(name: string, signature: string, value: UnitProperty['value']): UnitProperty {
  return { name, signature, value };
}
