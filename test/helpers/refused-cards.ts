import { parentOf } from '../../src/base/paths.ts';

/** One card that no host takes. */
export interface RefusedCard {
  readonly about: string;
  /** Keys beside the id and the workspace. */
  readonly keys: Readonly<Record<string, unknown>>;
  /** Code and pointer of every problem, in order. */
  readonly problems: readonly string[];
}

/** Longer than one argument of a program may be, in bytes and not in characters, which the schema counts. */
const LONG = 'ü'.repeat(100_000);

/** Every way in which a card is refused by itself, the reading and the schema aside, which have suites of their own. */
export function refusedCards(workspace: string): readonly RefusedCard[] {
  return [...ofAgents(), ...ofFiles(workspace), ...ofPorts(workspace), ...ofNetworks(), ...ofCredentials()];
}

function ofAgents(): readonly RefusedCard[] {
  return [
    {
      about: 'an agent that does not talk to the provider',
      keys: { agent: 'claude-code', api_provider: 'openai' },
      problems: ['card.conflict /api_provider'],
    },
    {
      about: 'an agent that does not talk to the provider of its first key',
      keys: { agent: 'claude-code', credentials: [{ provider: 'google', api_key_file: '/etc/key' }] },
      problems: ['card.conflict /credentials/0'],
    },
    {
      about: 'a key in a variable that the agent does not read',
      keys: {
        agent: 'claude-code',
        api_key_delivery: 'env',
        credentials: [{ provider: 'anthropic', api_key_file: '/etc/key', variable: 'OTHER_KEY' }],
      },
      problems: ['card.conflict /credentials/0/variable'],
    },
    {
      about: 'a variable that leads to a gateway',
      keys: {
        command: ['true'],
        api_key_file: '/etc/key',
        environment: { ANTHROPIC_BASE_URL: 'https://elsewhere.test' },
      },
      problems: ['card.conflict /environment/ANTHROPIC_BASE_URL'],
    },
    {
      about: 'a variable that holds a key already',
      keys: {
        command: ['true'],
        api_key_delivery: 'env',
        api_key_file: '/etc/key',
        environment: { ANTHROPIC_API_KEY: 'mine' },
      },
      problems: ['card.conflict /api_key_file'],
    },
    {
      about: 'two keys in one variable',
      keys: {
        command: ['true'],
        api_key_delivery: 'env',
        credentials: [
          { provider: 'anthropic', api_key_file: '/etc/key' },
          { provider: 'openai', api_key_file: '/etc/other', variable: 'ANTHROPIC_API_KEY' },
        ],
      },
      problems: ['card.conflict /credentials/1/api_key_file'],
    },
    {
      about: 'an argument that is longer than the kernel takes',
      keys: { command: ['true'], environment: { LONG } },
      problems: ['card.out-of-range '],
    },
  ];
}

function ofFiles(workspace: string): readonly RefusedCard[] {
  const hidden = [
    '/etc',
    '/dev/shm',
    '/nix/var/nix',
    '/proc/1',
    '/run/docker.sock',
    '/sys/kernel',
    '/tmp/x',
    '/var/run/x',
  ];
  return [
    {
      about: 'paths that are never shown',
      keys: { command: ['true'], filesystem: { read_only: hidden } },
      problems: hidden.map((_, index) => `plan.bind-refused /filesystem/read_only/${index}`),
    },
    {
      about: 'a home of its own that something of the host would cover',
      keys: { command: ['true'], filesystem: { home: 'private', read_only: ['/home'] } },
      problems: ['plan.home-refused /filesystem/home'],
    },
    {
      about: 'the workspace, and what lies in it or around it',
      keys: { command: ['true'], filesystem: { read_only: [workspace, `${workspace}/a`, parentOf(workspace)] } },
      problems: [0, 1, 2].map((index) => `plan.bind-refused /filesystem/read_only/${index}`),
    },
  ];
}

function ofPorts(workspace: string): readonly RefusedCard[] {
  const publish = (...listens: readonly string[]): object => ({
    publish: listens.map((listen, index) => ({ port: 8001 + index, listen })),
  });
  const places = ['/run/systemd/x', '/run/agent-spawn/x', '/proc/x', `${workspace}/x.sock`, '/run/with blank.sock'];
  return [
    {
      about: 'addresses that other machines reach',
      keys: { command: ['true'], network: publish('0.0.0.0:8001', '192.0.2.7:8002', '[::]:8003') },
      problems: [0, 1, 2].map((index) => `plan.publish-refused /network/publish/${index}/listen`),
    },
    {
      about: 'sockets at places that are not to be had',
      keys: { command: ['true'], network: publish(...places) },
      problems: places.map((_, index) => `plan.publish-refused /network/publish/${index}/listen`),
    },
    {
      about: 'the port of the proxy',
      keys: { command: ['true'], network: { publish: [{ port: 3128, listen: '127.0.0.1:8001' }] } },
      problems: ['plan.publish-refused /network/publish/0/listen'],
    },
    {
      about: 'one port of the host for two of the agent',
      keys: { command: ['true'], a2a_port: 8001, network: { publish: [{ port: 8002, listen: '127.0.0.1:8001' }] } },
      problems: ['plan.publish-refused /a2a_port'],
    },
  ];
}

function ofNetworks(): readonly RefusedCard[] {
  return [
    {
      about: 'the network of the host',
      keys: { command: ['true'], network: { mode: 'host' } },
      problems: ['plan.network-refused /network/mode'],
    },
    {
      about: 'hosts that cannot be understood',
      keys: { command: ['true'], allowed_hosts: ['good.example.com', 'a*b.example.com'], denied_hosts: ['*.*'] },
      problems: ['card.host-pattern /allowed_hosts/1', 'card.host-pattern /denied_hosts/0'],
    },
    {
      about: 'ports that are named twice',
      keys: { command: ['true'], allowed_hosts: [{ host: 'a.example.com:8443', ports: [443] }] },
      problems: ['card.conflict /allowed_hosts/0/ports'],
    },
    {
      about: 'addresses that no link leads to',
      keys: {
        command: ['true'],
        network: {
          mode: 'veth',
          allow: ['127.0.0.1', '0.0.0.0', '224.0.0.1', 'fe80::1', '10.213.0.9'].map((address) => ({
            address,
            port: 53,
          })),
        },
      },
      problems: [0, 1, 2, 3, 4].map((index) => `plan.network-refused /network/allow/${index}/address`),
    },
  ];
}

function ofCredentials(): readonly RefusedCard[] {
  return [
    {
      about: 'a key that would go to the internet without TLS',
      keys: {
        command: ['true'],
        credentials: [{ provider: 'custom', base_url: 'http://llm.example.com', api_key_file: '/etc/key' }],
      },
      problems: ['plan.credentials-refused /credentials/0/base_url'],
    },
    {
      about: 'two keys for one server',
      keys: {
        command: ['true'],
        credentials: ['/etc/key', '/etc/other'].map((api_key_file) => {
          return { provider: 'git', base_url: 'https://git.example.com', api_key_file };
        }),
      },
      problems: ['card.conflict /credentials/1'],
    },
  ];
}
