import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, beforeEach, describe, test } from 'node:test';
import { agentctl, succeed } from '../helpers/agents.ts';
import { runCommand } from '../helpers/commands.ts';
import { bothForms, connectTo, EgressStage, getUrl } from '../helpers/egress-stage.ts';
import { WORLD_ADDRESS } from '../helpers/internet.ts';
import { type Puppet, verdictOf } from '../helpers/puppet.ts';
import { rawHello } from '../helpers/raw-hello.ts';
import { UPSTREAM_KINDS, UpstreamProxy } from '../helpers/upstream-proxies.ts';

// Agents whose traffic is handed on to a real proxy of somebody else, and that proxy with the rules written out for it.

const CREDENTIALS = 'agent:canary-c2VjcmV0';
const RULES = {
  allowed_hosts: ['api.example.com', '*.wild.example.com', '11.0.0.50', 'api.example.com:8000'],
  denied_hosts: ['secret.wild.example.com'],
};

let stage: EgressStage;
before(async () => {
  stage = await EgressStage.open();
  for (const name of ['a.wild.example.com', 'secret.wild.example.com', 'wild.example.com', 'notapi.example.com']) {
    await stage.internet.answer(name, ['11.0.0.9']);
  }
});
after(() => stage?.close());

/** Where connections from this host went. */
async function places(): Promise<readonly string[]> {
  return [...new Set(await stage.connections())];
}

for (const kind of UPSTREAM_KINDS) {
  for (const credentials of [undefined, CREDENTIALS]) {
    describe(`behind ${kind}${credentials === undefined ? '' : ' that asks for a password'}`, () => {
      let proxy: UpstreamProxy;
      let puppet: Puppet;
      before(async () => {
        proxy = await UpstreamProxy.start(stage.internet, kind, credentials === undefined ? {} : { credentials });
        const file = join(stage.bench.directory, `credentials-${kind}`);
        writeFileSync(file, `${CREDENTIALS}\n`, { mode: 0o600 });
        const secret = credentials === undefined ? {} : { proxy_credentials_file: file };
        const trust = { CURL_CA_BUNDLE: stage.internet.authority };
        const shown = { filesystem: { read_only: [stage.internet.directory] }, environment: trust };
        puppet = await stage.agent({ ...RULES, ...shown, ...secret, proxy: proxy.url });
      });
      beforeEach(() => stage.internet.clear());
      after(() => proxy?.stop());

      test('what is allowed arrives by way of it, in both forms, and its name is left to it', async () => {
        assert.deepEqual(await stage.verdicts(puppet, bothForms('api.example.com')), ['200', '200']);
        const secure = await puppet.run(['curl', '-sS', 'https://api.example.com/secure']);
        assert.match(secure.stdout, /^GET \/secure HTTP\/2\.0\n/, secure.stderr);
        const [plain, tunnel] = await stage.internet.arrivals('http');
        assert.match(
          plain?.headers.map((pair) => pair.join(': ')).join('\n') ?? '',
          /^via: 1\.1 .*(squid|tinyproxy|upstream)/m,
        );
        assert.deepEqual([plain?.host, tunnel?.target], ['api.example.com', '/secure']);
        assert.deepEqual(await places(), [`${WORLD_ADDRESS} ${proxy.port}`]);
        const questions = (await stage.internet.arrivals('packet')).filter(({ port }) => port === 53);
        assert.deepEqual(questions, [], 'this host asked for no name');
      });

      test('what is refused does not get as far as to it', async () => {
        const refused = [
          'evil.example.net',
          'wild.example.com',
          'secret.wild.example.com',
          '11.0.0.9',
          '127.0.0.1',
          '10.9.9.9',
          WORLD_ADDRESS,
        ];
        for (const host of refused) {
          for (const verdict of await stage.verdicts(puppet, bothForms(host)))
            assert.match(verdict, /^403 egress\./, host);
        }
        const [verdict] = await stage.verdicts(puppet, [connectTo(`${WORLD_ADDRESS}:${proxy.port}`)]);
        assert.match(verdict ?? '', /^403 egress\./);
        assert.deepEqual(await stage.internet.arrivals(), []);
      });

      test('the handshake in a tunnel is looked at all the same', async () => {
        for (const [serverName, arrived] of [
          ['api.example.com', true],
          ['evil.example.net', false],
        ] as const) {
          await stage.internet.clear();
          const hello = rawHello({ serverName });
          const [opened] = await puppet.talk([
            { send: connectTo('api.example.com:8000') },
            { read: 'head' },
            { send: hello },
            { read: 6 },
          ]);
          assert.equal(verdictOf(opened), '200');
          const bytes = (await stage.internet.arrivals('tcp'))
            .filter(({ port }) => port === 8000)
            .map((arrival) => arrival.bytes);
          assert.equal(bytes.join(''), arrived ? hello : '');
        }
      });

      test('neither the agent nor a server learns the credentials, nor can the agent bring its own', async () => {
        const own = `Proxy-Authorization: Basic ${Buffer.from('mallory:x').toString('base64')}`;
        const [answer = ''] = await puppet.talk([{ send: getUrl('api.example.com', '/', own) }, { read: 'answer' }]);
        assert.equal(verdictOf(answer), '200');
        const seen = JSON.stringify(await stage.internet.arrivals('http'));
        assert.doesNotMatch(seen.toLowerCase(), /proxy-authorization/);
        const inside = await puppet.run(['bash', '-c', 'env; cat /proc/*/environ /proc/*/cmdline 2>/dev/null']);
        const shown = await agentctl('status', puppet.id);
        for (const text of [answer, inside.stdout, shown.stdout]) assert.doesNotMatch(text, /c2VjcmV0|canary-/);
      });
    });
  }
}

test('an upstream proxy that refuses the credentials, or is not there, is told as such', async () => {
  const proxy = await UpstreamProxy.start(stage.internet, 'squid', { credentials: 'somebody:else' });
  const file = join(stage.bench.directory, 'wrong');
  writeFileSync(file, `${CREDENTIALS}\n`, { mode: 0o600 });
  const puppet = await stage.agent({ ...RULES, proxy: proxy.url, proxy_credentials_file: file });
  await stage.internet.clear();
  const refused = await stage.verdicts(puppet, bothForms('api.example.com'));
  await proxy.stop();
  const gone = await stage.verdicts(puppet, bothForms('api.example.com'));
  for (const verdict of [...refused, ...gone]) assert.equal(verdict, '502 egress.upstream-proxy');
  assert.deepEqual(await places(), [`${WORLD_ADDRESS} ${proxy.port}`], 'there is no way around it');
});

for (const kind of UPSTREAM_KINDS) {
  test(`the rules written out for ${kind} are taken by it and hold there`, async () => {
    const card = join(stage.bench.directory, `rules-${kind}.json`);
    writeFileSync(card, JSON.stringify(stage.bench.card({ ...RULES, command: ['true'] })));
    const { stdout: rules } = await agentctl('export', kind, card);
    const proxy = await UpstreamProxy.start(stage.internet, kind, { rules });
    try {
      if (kind === 'squid') {
        const parsed = await succeed(
          runCommand(['squid', '-k', 'parse', '-f', join(stage.internet.directory, 'squid/squid.conf')]),
        );
        assert.doesNotMatch(parsed.stderr, /WARNING|ERROR|FATAL/);
      }
      const outside = await stage.outside();
      const ask = async (host: string): Promise<readonly string[]> => {
        const answers: string[] = [];
        for (const request of bothForms(host)) {
          const [answer] = await outside.talk([{ send: request }, { read: 'head' }], [WORLD_ADDRESS, proxy.port]);
          answers.push(verdictOf(answer));
        }
        return answers;
      };
      for (const host of ['api.example.com', 'a.wild.example.com', '11.0.0.50'])
        assert.deepEqual(await ask(host), ['200', '200'], host);
      await stage.internet.clear();
      const refused = [
        'evil.example.net',
        'wild.example.com',
        'notapi.example.com',
        'api.example.com.evil.example.net',
        '11.0.0.9',
        '127.0.0.1',
      ];
      for (const host of refused) assert.deepEqual(await ask(host), ['403', '403'], host);
      if (kind === 'squid') assert.deepEqual(await ask('secret.wild.example.com'), ['403', '403']);
      assert.deepEqual(await stage.internet.arrivals('http'), []);
    } finally {
      await proxy.stop();
    }
  });
}
