import { PUBLISH_CONNECTIONS_MAX } from '../base/limits.ts';
import { escapeSpecifiers } from './exec-line.ts';
import { AGENTS_SLICE } from './properties.ts';

/**
 * User of every relay, made by PID 1 while one runs. With an underscore it is
 * never the user of an agent, whose names start with `agent-`.
 */
const RELAY_USER = 'agent_publish';

/** How a relay gets into the network of its agent. */
export type NetworkJoin =
  | { readonly kind: 'units'; readonly units: readonly string[] }
  | { readonly kind: 'path'; readonly path: string };

/** A unit file: its name and its text. */
export interface UnitFile {
  readonly name: string;
  readonly text: string;
}

/** What the two units of one published port are made of. */
export interface PublishUnitsInput {
  readonly id: string;
  /** Unit of the agent. */
  readonly agent: string;
  readonly socket: string;
  readonly service: string;
  readonly port: number;
  /** As ListenStream= takes it. */
  readonly listen: string;
  readonly join: NetworkJoin;
  /** systemd-socket-proxyd as installed. */
  readonly relayPath: string;
}

/** The socket on the host and the relay behind it. */
export function publishUnits(input: PublishUnitsInput): readonly UnitFile[] {
  return [
    { name: input.socket, text: socketText(input) },
    { name: input.service, text: serviceText(input) },
  ];
}

/**
 * The agent's unit requires the socket, which is what keeps it open: also
 * while the agent waits for a restart, and not a moment longer. A connection
 * that comes while the relay cannot start is closed (FlushPending=).
 */
function socketText({ id, port, listen }: PublishUnitsInput): string {
  return `[Unit]
Description=${escapeSpecifiers(listen)} for port ${port} of agent ${id}
StopWhenUnneeded=yes

[Socket]
Slice=${AGENTS_SLICE}
ListenStream=${escapeSpecifiers(listen)}
BindIPv6Only=ipv6-only
SocketMode=0600
RemoveOnStop=yes
FlushPending=yes
Backlog=${PUBLISH_CONNECTIONS_MAX}
`;
}

/**
 * Nothing pulls the agent in: a connection must not start one that ended, and
 * PID 1 of systemd 252 cannot start a transient unit again after a reload, not
 * even to find that it runs. Nor is there BindsTo= to the socket, which would
 * keep it needed. After an end of the agent, PartOf= ends the relay with the
 * socket; a relay that was started in between is alone in a network of its own.
 */
function serviceText({ id, agent, socket, port, join, relayPath }: PublishUnitsInput): string {
  const joins =
    join.kind === 'path'
      ? { unit: '', service: `NetworkNamespacePath=${join.path}\n` }
      : { unit: `JoinsNamespaceOf=${join.units.join(' ')}\n`, service: 'PrivateNetwork=yes\n' };
  return `[Unit]
Description=Relay to port ${port} of agent ${id}
PartOf=${agent} ${socket}
After=${agent} ${socket}
${joins.unit}StartLimitIntervalSec=0
CollectMode=inactive-or-failed

[Service]
Type=exec
ExecStart=${relayPath} --connections-max=${PUBLISH_CONNECTIONS_MAX} --exit-idle-time=60s 127.0.0.1:${port}
DynamicUser=yes
User=${RELAY_USER}
Slice=${AGENTS_SLICE}
OOMScoreAdjust=200
MemoryMax=64M
TasksMax=16
LimitNOFILE=${8 * PUBLISH_CONNECTIONS_MAX}
LimitCORE=0
${joins.service}${HARDENING}`;
}

/** A relay needs its connections and nothing else. */
const HARDENING = `IPAddressAllow=localhost
IPAddressDeny=any
CapabilityBoundingSet=
AmbientCapabilities=
DevicePolicy=closed
InaccessiblePaths=-/etc/agents -/run/agent-spawn -/var/lib/agent-spawn -/var/log
KeyringMode=private
LockPersonality=yes
MemoryDenyWriteExecute=yes
NoNewPrivileges=yes
PrivateDevices=yes
PrivateIPC=yes
PrivateMounts=yes
PrivateTmp=yes
PrivateUsers=yes
ProcSubset=pid
ProtectClock=yes
ProtectControlGroups=yes
ProtectHome=yes
ProtectHostname=yes
ProtectKernelLogs=yes
ProtectKernelModules=yes
ProtectKernelTunables=yes
ProtectProc=invisible
ProtectSystem=strict
RestrictAddressFamilies=AF_UNIX AF_INET AF_INET6
RestrictNamespaces=yes
RestrictRealtime=yes
RestrictSUIDSGID=yes
SystemCallArchitectures=native
SystemCallFilter=@system-service
SystemCallFilter=~@privileged @resources @keyring @aio userfaultfd
SystemCallErrorNumber=EPERM
UMask=0077
`;
