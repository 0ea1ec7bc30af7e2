import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { succeed } from './agents.ts';
import { agentProgram, RunningCommand, runCommand } from './commands.ts';
import { asUser, type HostUser } from './host-users.ts';
import type { Puppet } from './puppet.ts';

/** A key that nobody has ever seen; where it is found, it has come by the channel it was made for. */
export interface Canary {
  readonly name: string;
  readonly value: string;
}

/** What a hunt brought home. */
export interface Hunted {
  /** `NAME in PLACE`, sorted; a process is named and not numbered. */
  readonly found: readonly string[];
  /** Files that could be opened. */
  readonly looked: number;
}

/** What a watch over all processes brought home. */
export interface Watched {
  readonly found: readonly string[];
  readonly rounds: number;
  /** Different processes, one with other arguments than before counted anew. */
  readonly seen: number;
}

/** Any byte but 0; what is masked is found by nobody. */
const MASK = 0xa5;
/** File systems tell time no finer than this; what is older than a canary cannot hold it, milliseconds. */
const GRAIN_MS = 2000;
const BORN_MS: number = Date.now() - GRAIN_MS;

/** A new canary. Characters that URLs escape are in it. */
export function makeCanary(name: string): Canary {
  return { name, value: `sk-${name}+/${randomBytes(16).toString('hex')}` };
}

/** All the ways in which a canary may be written: as it is, in base64 wherever it begins, in hexadecimal, for a URL. */
export function spellings({ value }: Canary): readonly string[] {
  const bytes = Buffer.from(value);
  const hex = bytes.toString('hex');
  const escaped = hex.replace(/../g, '%$&');
  const base64 = [0, 1, 2].map((offset) => base64Core(bytes, offset));
  const forUrls = base64.map((text) => text.replaceAll('+', '-').replaceAll('/', '_'));
  const ways = [value, encodeURIComponent(value), hex, hex.toUpperCase(), escaped, escaped.toUpperCase()];
  return [...new Set([...ways, ...base64, ...forUrls])];
}

/** The characters that depend on these bytes alone, with so many others before them. */
function base64Core(bytes: Buffer, offset: number): string {
  const padded = Buffer.concat([Buffer.alloc(offset), bytes]);
  const text = padded.toString('base64').replace(/=+$/, '');
  return text.slice([0, 2, 3][offset], padded.length % 3 === 0 ? text.length : -1);
}

/** The canaries in a text. */
export function findIn(text: string, canaries: readonly Canary[]): readonly string[] {
  return canaries.filter((canary) => spellings(canary).some((way) => text.includes(way))).map(({ name }) => name);
}

/** Looks through everything that the sandbox of a puppet shows, with the memory of all of its processes. */
export async function huntInside(puppet: Puppet, canaries: readonly Canary[]): Promise<Hunted> {
  const order = orderFor(canaries, { roots: ['/'], memory: true });
  const { status, stdout, stderr } = await puppet.run(agentProgram('key-hunt.py'), `${order}\n`);
  assert.equal(status, 0, stderr);
  return JSON.parse(stdout) as Hunted;
}

/** Places of a host where something new can be. */
const PLACES = ['/dev', '/etc', '/proc', '/run', '/tmp', '/var'];

/** Who looks through a host, and which processes made the canaries or are what they are for. */
export interface HostHunt {
  /** Null for root. */
  readonly user: HostUser | null;
  readonly skip: readonly number[];
}

/** Looks through this host, with the memory of every process that lets itself be read. */
export async function huntOnHost(canaries: readonly Canary[], { user, skip }: HostHunt): Promise<Hunted> {
  const order = orderFor(canaries, { roots: PLACES, memory: true, skip: [process.pid, ...skip] });
  const program = agentProgram('key-hunt.py');
  const argv = user === null ? program : asUser(user, ...program);
  const { stdout } = await succeed(runCommand(argv, { stdin: `${order}\n`, cwd: '/', deadlineMs: 120_000 }));
  return JSON.parse(stdout) as Hunted;
}

/** Watches the arguments and environments of all processes while something goes on. */
export async function huntDuring(canaries: readonly Canary[], body: () => Promise<unknown>): Promise<Watched> {
  const watcher = new RunningCommand(agentProgram('key-hunt.py'));
  watcher.write(`${orderFor(canaries, { watch: true, skip: [process.pid] })}\n`);
  await watcher.line();
  try {
    await body();
  } finally {
    watcher.end();
  }
  const told = await watcher.line();
  await watcher.ended();
  return JSON.parse(told) as Watched;
}

function orderFor(canaries: readonly Canary[], rest: Readonly<Record<string, unknown>>): string {
  const masked = (text: string): string => Buffer.from(Buffer.from(text).map((byte) => byte ^ MASK)).toString('hex');
  const needles = Object.fromEntries(canaries.map((canary) => [canary.name, spellings(canary).map(masked)]));
  return JSON.stringify({ mask: MASK, needles, since: BORN_MS / 1000, ...rest });
}
