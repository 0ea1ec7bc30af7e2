import { spawnSync } from 'node:child_process';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import type { AuditEvent } from '../../src/audit/event.gen.ts';
import { agentctl } from './agents.ts';
import { CHECKOUT } from './checkout.ts';
import { type Ended, RunningCommand } from './commands.ts';
import { EgressStage } from './egress-stage.ts';
import type { ModelAction, ModelFormat } from './model-server-wire.ts';
import { distrustAuthority, trustAuthority } from './proxy-trust.ts';

/** Agents that npm test has fetched, or null. */
const INSTALLED: string | null = findInstalled();

/** For tests that need them: whether to skip, and why, as test/allowed-skips.txt has it. */
export const SKIP: string | false =
  INSTALLED === null
    ? 'The agents are not installed, because their registry was out of reach when npm test asked for them.'
    : false;

/** One of the places outside the ordinary search path where agents are found. */
const PLACE = '/opt/agent-clis';
/** Where the cards of the examples have their keys. */
const KEYS = '/etc/agent-spawn/keys';
/** Daemon and proxy are started again. */
const RESTARTED = /agent-(spawn|egress)d\.(service|socket|cjs)/;
/** The slowest takes 4 s on a machine of its own, milliseconds. */
export const DEADLINE_MS = 180_000;

/** APIs of the pretend internet, each with an address of its own; the last is a company's own. */
const MODEL_HOSTS: Readonly<Record<string, string>> = {
  'api.anthropic.com': '11.0.0.81',
  'api.openai.com': '11.0.0.82',
  'generativelanguage.googleapis.com': '11.0.0.83',
  'models.example.com': '11.0.0.84',
};

/** Keys that the pretend providers take, shaped like real ones, and one that none takes. */
export const REAL_KEYS = {
  anthropic: 'sk-ant-api03-realRealREALreal0123456789abcdefghijklmnopqrstuvwxyz-AA',
  openai: 'sk-proj-realRealREALreal0123456789abcdefghijklmnopqrstuvwxyz',
  google: 'AIzaSyRealRealREALreal0123456789abcdefg',
  wrong: 'sk-ant-api03-wrongWrongWRONGwrong0123456789abcdefghijklmnopqrstuv-AA',
} as const;

const FORMAT_KEYS: Readonly<Record<ModelFormat, string>> = {
  anthropic: REAL_KEYS.anthropic,
  'openai-chat': REAL_KEYS.openai,
  'openai-responses': REAL_KEYS.openai,
  google: REAL_KEYS.google,
};

/** What the model has every agent do. */
export const TASK: readonly ModelAction[] = [
  { kind: 'create', path: '/workspace/notes.txt', content: 'first line\nsecond line\nünïcödé\n' },
  { kind: 'edit', path: '/workspace/notes.txt', old: 'second line', new: 'another line' },
  { kind: 'run', command: 'tr a-z A-Z </workspace/notes.txt >/workspace/loud.txt' },
];

/** What is in the workspace then. */
export const RESULT: Readonly<Record<string, string>> = {
  'loud.txt': 'FIRST LINE\nANOTHER LINE\nüNïCöDé\n',
  'notes.txt': 'first line\nanother line\nünïcödé\n',
};

/** A model server on the loopback of this host, as people have them. */
export interface LocalModels {
  readonly port: number;
  /** Ends it, and tells the keys it was shown, with what became of them. */
  readonly end: () => Promise<readonly LocalCall[]>;
}

/** A request to such a server. */
export interface LocalCall {
  readonly target: string;
  readonly key: string | null;
  readonly status: number;
}

/** A stage with agents installed as users have them, keys of root, and model APIs in the pretend internet. */
export class AgentClisStage {
  readonly egress: EgressStage;

  private constructor(egress: EgressStage) {
    this.egress = egress;
  }

  static async open(): Promise<AgentClisStage> {
    const egress = await EgressStage.open({ ignoreLeaks: RESTARTED });
    symlinkSync(INSTALLED ?? '', PLACE);
    mkdirSync(KEYS, { recursive: true });
    chmodSync(KEYS, 0o700);
    for (const [name, key] of Object.entries(REAL_KEYS)) writeFileSync(join(KEYS, name), `${key}\n`, { mode: 0o600 });
    for (const [name, address] of Object.entries(MODEL_HOSTS)) await egress.internet.answer(name, [address]);
    await trustAuthority(egress.internet.authority);
    return new AgentClisStage(egress);
  }

  /** Has the APIs play the task from its beginning, and forgets what has left the host. */
  async expectTask(): Promise<void> {
    await this.egress.internet.serveModels(Object.keys(MODEL_HOSTS), { keys: FORMAT_KEYS, actions: TASK });
    await this.egress.internet.clear();
  }

  /** Starts a server of models on loopback that takes this key, or none. */
  async localModels(key: string | null): Promise<LocalModels> {
    const keys = { anthropic: key, google: key, 'openai-chat': key, 'openai-responses': key };
    const program = join(import.meta.dirname, 'model-server-program.js');
    const options = JSON.stringify({ port: 0, keys, actions: TASK });
    const server = new RunningCommand([process.execPath, program, options], { deadlineMs: DEADLINE_MS });
    const { port } = JSON.parse(await server.line()) as { readonly port: number };
    const end = async (): Promise<readonly LocalCall[]> => {
      server.end();
      const { stdout } = await server.ended();
      return parseLines<LocalCall>(stdout).map(({ target, key: shown, status }) => ({ target, key: shown, status }));
    };
    return { port, end };
  }

  /** Ends everything; fails when anything is left behind. */
  async close(): Promise<void> {
    await distrustAuthority();
    rmSync(PLACE);
    rmSync(KEYS, { recursive: true });
    await this.egress.close();
  }
}

/** The card of an example, and its file. */
export function exampleOf(agent: string): { readonly path: string; readonly card: Readonly<Record<string, unknown>> } {
  const path = join(CHECKOUT, `schema/examples/${agent}.json`);
  return { path, card: JSON.parse(readFileSync(path, 'utf8')) as Readonly<Record<string, unknown>> };
}

/** Runs the agent of a card with these words to its end, with an input that stays open as that of a terminal does. */
export async function runCli(cardPath: string, ...words: readonly string[]): Promise<Ended> {
  const running = new RunningCommand(['agent-spawn', cardPath, '--', ...words], { deadlineMs: DEADLINE_MS });
  return await running.ended();
}

/** The audit of the last run of an agent. */
export async function auditOf(id: string): Promise<readonly AuditEvent[]> {
  const events = parseLines<AuditEvent>((await agentctl('audit', '--json', id)).stdout);
  return events.slice(events.findLastIndex(({ kind }) => kind === 'opened'));
}

/** The text of every file of a workspace that is not hidden. */
export function filesOf(workspace: string): Readonly<Record<string, string>> {
  const names = readdirSync(workspace).filter((name) => !name.startsWith('.'));
  return Object.fromEntries(names.sort().map((name) => [name, readFileSync(join(workspace, name), 'utf8')]));
}

/** Files below directories that hold a text. */
export function filesWith(text: string, ...directories: readonly string[]): readonly string[] {
  const found = spawnSync('grep', ['-rslF', '-e', text, ...directories], { encoding: 'utf8' });
  return found.stdout.split('\n').filter((line) => line !== '');
}

function parseLines<T>(text: string): readonly T[] {
  const lines = text.split('\n').filter((line) => line !== '');
  return lines.map((line) => JSON.parse(line) as T);
}

function findInstalled(): string | null {
  const asked = spawnSync(process.execPath, [join(CHECKOUT, 'src/setup/agent-clis.mjs')], { encoding: 'utf8' });
  const directory = asked.stdout.trim();
  return existsSync(directory) ? directory : null;
}
