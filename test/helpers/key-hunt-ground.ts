import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { succeed } from './agents.ts';
import { askApi } from './api.ts';
import { runCommand } from './commands.ts';
import { EgressStage, head } from './egress-stage.ts';
import { addUser, asUser, type HostUser, removeUser } from './host-users.ts';
import { type Canary, findIn, makeCanary } from './key-hunt.ts';
import { distrustAuthority, trustAuthority } from './proxy-trust.ts';
import { Puppet } from './puppet.ts';
import { unitOf } from './units.ts';

const [USER, GROUP] = ['key-hunter', 'key-hunters'];
/** Whose API asks for the right key, and who sends back all that it is told. */
const [MODELS, MIRROR] = ['api.anthropic.com', 'api.example.com'];

/** Longest time for one hunt, milliseconds: it opens some thousand files. */
const HUNT_MS = 120_000;

/** Three keys of one agent, each for another host. */
export interface Keys {
  readonly model: Canary;
  readonly mirror: Canary;
  readonly git: Canary;
}

/** A host with a pretend internet that its proxy trusts, and an ordinary user who is curious. */
export class KeyHuntGround {
  readonly stage: EgressStage;
  readonly user: HostUser;
  readonly #puppets: Puppet[] = [];

  private constructor(stage: EgressStage, user: HostUser) {
    this.stage = stage;
    this.user = user;
  }

  /** Ignores what tests leave behind that start the daemon and the proxy again, and what this suite says. */
  static async open(ignored: RegExp = /agent-spawnd\.service/): Promise<KeyHuntGround> {
    const ignoreLeaks = new RegExp(`agent-(spawn|egress)d\\.(cjs|service|socket)|${ignored.source}`);
    const stage = await EgressStage.open({ ignoreLeaks });
    await stage.internet.answer(MODELS, ['11.0.0.20']);
    await stage.internet.answer('git.example.com', ['11.0.0.21']);
    await trustAuthority(stage.internet.authority);
    return new KeyHuntGround(stage, await addUser(USER, GROUP));
  }

  /** Process id of the pretend internet. */
  get internetPid(): number {
    return Number(this.stage.internet.inside()[2]);
  }

  async close(): Promise<void> {
    for (const puppet of this.#puppets) await puppet.end();
    await distrustAuthority();
    await removeUser(USER, GROUP);
    await this.stage.close();
  }

  /** Starts an agent that does what the test says, and has time to look through everything. */
  async agent(card: Readonly<Record<string, unknown>>): Promise<Puppet> {
    const puppet = await Puppet.start(this.stage.bench, card, { deadlineMs: HUNT_MS });
    this.#puppets.push(puppet);
    return puppet;
  }

  /** Puts a key into a file of root's. */
  keyFile({ name, value }: Canary): string {
    const path = join(this.stage.bench.directory, `${name}.key`);
    writeFileSync(path, `${value}\n`, { mode: 0o600 });
    return path;
  }

  /** Three fresh keys, and the keys of a card that hands them to the gateway. The model API takes its one and no other. */
  async gatewayKeys(
    prefix: string,
  ): Promise<{ readonly keys: Keys; readonly card: Readonly<Record<string, unknown>> }> {
    const keys = {
      model: makeCanary(`${prefix}-model`),
      mirror: makeCanary(`${prefix}-mirror`),
      git: makeCanary(`${prefix}-git`),
    };
    await this.acceptModelKey(keys.model.value);
    const mirror = { provider: 'custom', base_url: `https://${MIRROR}`, api_key_file: this.keyFile(keys.mirror) };
    const git = { provider: 'git', base_url: 'https://git.example.com', api_key_file: this.keyFile(keys.git) };
    const api = { api_provider: 'anthropic', api_key_file: this.keyFile(keys.model) };
    return { keys, card: { ...api, credentials: [mirror, git] } };
  }

  /** Has the model API take this key and no other. */
  async acceptModelKey(anthropic: string): Promise<void> {
    const keys = { anthropic, google: null, 'openai-chat': null, 'openai-responses': null };
    await this.stage.internet.serveModels([MODELS], { keys, actions: [] });
  }

  /** Everything that this host tells of its units and agents, as its user gets to see it, or as root. */
  async tellings(id: string, who: 'root' | 'user'): Promise<readonly (readonly [string, string])[]> {
    const commands = [...(who === 'root' ? [...ROOT_COMMANDS, ...agentCommands(id)] : []), ...commandsOf(id)];
    const told: (readonly [string, string])[] = [];
    for (const argv of commands) {
      const { stdout, stderr } = await runCommand(who === 'root' ? argv : asUser(this.user, ...argv), { cwd: '/' });
      told.push([argv.join(' '), stdout + stderr]);
    }
    if (who === 'user') return told;
    for (const path of API_PATHS) told.push([`GET ${path}`, (await askApi('GET', path.replace('ID', id))).body]);
    return told;
  }
}

/** Which canaries are in what this host tells, and where. */
export async function findInTellings(
  ground: KeyHuntGround,
  id: string,
  canaries: readonly Canary[],
): Promise<readonly string[]> {
  const found: string[] = [];
  for (const who of ['root', 'user'] as const) {
    for (const [what, text] of await ground.tellings(id, who)) {
      for (const name of findIn(text, canaries)) found.push(`${name} in ${what} (${who})`);
    }
  }
  return found;
}

/** Asks the three APIs as an agent, and returns their answers. */
export async function useKeys(puppet: Puppet): Promise<readonly [model: string, mirror: string, git: string]> {
  const body = JSON.stringify({ model: 'm', max_tokens: 10, messages: [{ role: 'user', content: 'hello' }] });
  const fields = ['Host: 127.0.0.1:3128', 'content-type: application/json', `content-length: ${body.length}`];
  const model = await puppet.ask(head('POST /anthropic/v1/messages HTTP/1.1', ...fields) + body);
  const mirror = await puppet.ask(mirrorRequest('/'));
  const git = await puppet.ask(
    head('GET /git/git.example.com/a/info/refs?service=git-upload-pack HTTP/1.1', 'Host: x'),
  );
  return [model, mirror, git];
}

/** A request to the API that sends back what it gets. */
export function mirrorRequest(path: string): string {
  return head(`GET /custom/${MIRROR}${path} HTTP/1.1`, 'Host: 127.0.0.1:3128');
}

/** The bus path of a unit (sd_bus_path_encode(3)). */
function busPath(unit: string): string {
  const label = unit.replace(/[^A-Za-z0-9]/g, (character) => `_${character.charCodeAt(0).toString(16)}`);
  return `/org/freedesktop/systemd1/unit/${label}`;
}

const ALL_UNITS = ['sandboxed-agent@*', 'agent-*'];

function commandsOf(id: string): readonly (readonly string[])[] {
  const properties = ['org.freedesktop.DBus.Properties', 'GetAll', 's', ''];
  const units = [unitOf(id), `agent-egress@${id}.service`, 'agent-egressd.service', 'agent-spawnd.service'];
  return [
    ['ps', 'axeww'],
    ['systemctl', 'show', '--all', ...ALL_UNITS],
    ['systemctl', 'cat', ...ALL_UNITS],
    ['systemctl', 'status', '--full', '--lines=1000', ...ALL_UNITS],
    ['systemctl', 'show-environment'],
    ...units.map((unit) => ['busctl', 'call', 'org.freedesktop.systemd1', busPath(unit), ...properties]),
    ['journalctl', '--all', '--output=json'],
    ['agentctl', 'list', '--all'],
    ['agentctl', 'inspect', id],
  ];
}

const ROOT_COMMANDS: readonly (readonly string[])[] = [
  ['journalctl', '--all', '--output=export'],
  ['journalctl', '--all', '--output=verbose'],
  ['systemd-analyze', 'dump'],
];

/** Everything that can be asked of an agent. */
function agentCommands(id: string): readonly (readonly string[])[] {
  const asked = [
    ['list', '--all'],
    ['inspect', id],
    ['logs', id],
    ['audit', id],
    ['audit', 'verify', id],
    ['egress', id],
    ['export', 'squid', id],
    ['export', 'tinyproxy', id],
    ['credential', 'reload', id],
  ];
  return asked.flatMap((words) => [
    ['agentctl', ...words],
    ['agentctl', '--json', ...words],
  ]);
}

const API_PATHS = ['/agents?ended=true', '/agents/ID', '/agents/ID/inspect', '/agents/ID/audit', '/agents/ID/egress'];

/** Runs a command that must end well, and returns all that it printed. */
export async function printed(argv: readonly string[], stdin = ''): Promise<string> {
  const { stdout, stderr } = await succeed(runCommand(argv, { stdin }));
  return stdout + stderr;
}
