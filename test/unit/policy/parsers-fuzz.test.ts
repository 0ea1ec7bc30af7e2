import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ChunkedReader, type ChunkReading } from '../../../src/policy/chunked-body.ts';
import { HelloReader, readClientHello } from '../../../src/policy/client-hello.ts';
import { renderRequestHead, requestFields } from '../../../src/policy/forward-head.ts';
import { parseHostName } from '../../../src/policy/host-name.ts';
import { HeadReader, readRequestHead } from '../../../src/policy/request-head.ts';
import { readIntent } from '../../../src/policy/request-intent.ts';
import { seededRandom } from '../card/random.ts';
import { readCorpus, readPieces } from './corpus.ts';
import { changedRequests, renderAgain, TUNNEL } from './http-samples.ts';
import { cutAtChance, mutateBinary, mutateHttp } from './wire-mutation.ts';

/** What no text may hold that goes into a head. */
const BREAKING = /[\r\n\0]/;

/** A sentence of ours, whatever it quotes. */
const SENTENCE = /^[^\u0000-\u001f\u007f-\u009f\u2028-\u202e\u2066-\u2069]{10,200}\.$/u;

test('a changed request is read the same however it is cut, and an accepted head holds nothing that breaks out of it', () => {
  const counts = { incomplete: 0, head: 0, bad: 0 };
  for (const { random, bytes } of changedRequests(1, 12_000)) {
    const source = bytes.toString('latin1');
    const reading = readRequestHead(bytes);
    counts[reading.kind] += 1;
    assert.deepEqual(readPieces(new HeadReader(), cutAtChance(random, bytes)), reading, source);
    if (reading.kind === 'bad') assert.match(reading.detail, SENTENCE, source);
    if (reading.kind !== 'head') continue;
    const { head, length } = reading;
    const texts = [head.method, head.target, ...head.fields.flatMap(({ name, value }) => [name, value])];
    assert.ok(!texts.some((text) => BREAKING.test(text)), source);
    assert.equal(source.indexOf('\r\n\r\n') + 4, length);
    const again = readRequestHead(Buffer.from(renderAgain(head), 'latin1'));
    assert.deepEqual(again.kind === 'head' ? again.head : again, head, source);
  }
  assert.ok(Math.min(counts.incomplete, counts.head, counts.bad) > 250, JSON.stringify(counts));
});

test('what is forwarded of a changed request asks for what was judged, and for nothing else', () => {
  const counts = { intent: 0, origin: 0, refused: 0 };
  for (const { bytes } of changedRequests(2, 12_000)) {
    const reading = readRequestHead(bytes);
    if (reading.kind !== 'head') continue;
    const source = bytes.toString('latin1');
    const intent = readIntent(reading.head, reading.head.target.startsWith('/') ? TUNNEL : null);
    counts[intent.kind] += 1;
    if (intent.kind === 'refused') assert.match(intent.detail, SENTENCE, source);
    if (intent.kind !== 'intent' || intent.intent.form === 'tunnel') continue;
    const line = { method: intent.intent.method, target: intent.target };
    const text = renderRequestHead(line, requestFields(reading.head, intent));
    const sent = readRequestHead(Buffer.from(text, 'latin1'));
    assert.ok(sent.kind === 'head' && sent.length === text.length, source);
    assert.deepEqual(sent.head.body, reading.head.body);
    assert.ok(!sent.head.fields.some(({ name }) => /^(?:proxy-|te$|keep-alive$)/.test(name)), source);
    const again = readIntent(sent.head, intent.intent);
    assert.deepEqual(again, intent, source);
  }
  assert.ok(counts.intent > 500 && counts.refused > 500, JSON.stringify(counts));
});

test('a changed ClientHello is read the same however it is cut, and names plain hosts only', () => {
  const random = seededRandom(3);
  const sources = readCorpus('hellos');
  const counts = { incomplete: 0, hello: 0, 'not-tls': 0, bad: 0 };
  for (let round = 0; round < 12_000; round += 1) {
    const bytes = mutateBinary(random, sources[round % sources.length]?.bytes ?? Buffer.alloc(0));
    const source = bytes.toString('hex');
    const reading = readClientHello(bytes);
    counts[reading.kind] += 1;
    assert.deepEqual(readPieces(new HelloReader(), cutAtChance(random, bytes)), reading, source);
    if (reading.kind === 'bad') assert.match(reading.detail, SENTENCE, source);
    if (reading.kind !== 'hello' || reading.serverName === null) continue;
    assert.deepEqual(parseHostName(reading.serverName), { ok: true, name: reading.serverName }, source);
  }
  assert.ok(Math.min(...Object.values(counts)) > 50, JSON.stringify(counts));
});

/** Everything a reader of chunks says of pieces, as one value. */
function readChunks(pieces: readonly Uint8Array[]): string {
  const reader = new ChunkedReader();
  let contents = '';
  for (const [index, piece] of pieces.entries()) {
    const reading: ChunkReading = reader.add(piece);
    if (reading.kind === 'bad') return reading.detail;
    contents += Buffer.concat(reading.parts).toString('hex');
    if (reading.rest === null) continue;
    return `${contents} then ${Buffer.concat([reading.rest, ...pieces.slice(index + 1)]).toString('hex')}`;
  }
  return `${contents} and more`;
}

test('a changed chunked body is read the same however it is cut', () => {
  const random = seededRandom(4);
  const source = Buffer.from('5\r\nhello\r\n1f\r\n0123456789012345678901234567890\r\n0\r\nX-End: a\r\n\r\nGET /');
  const seen = new Set<string>();
  for (let round = 0; round < 4000; round += 1) {
    const bytes = mutateHttp(random, source);
    const verdict = readChunks([bytes]);
    assert.equal(readChunks(cutAtChance(random, bytes)), verdict, bytes.toString('latin1'));
    seen.add(verdict.replace(/^[0-9a-f]* /, '').replace(/^then .*/, 'then'));
  }
  assert.ok(seen.size >= 6, [...seen].join(', '));
});

test('bytes of chance never break a reader', () => {
  const random = seededRandom(5);
  for (let round = 0; round < 4000; round += 1) {
    const bytes = Uint8Array.from({ length: random.below(80) }, () => random.below(256));
    assert.notEqual(readRequestHead(bytes).kind, 'head');
    assert.notEqual(readClientHello(bytes).kind, 'hello');
    readChunks([bytes]);
    assert.notEqual(
      readClientHello(Buffer.concat([Buffer.of(22, 3, 1, 0, bytes.length, 1, 0, 0), bytes])).kind,
      'not-tls',
    );
  }
});
