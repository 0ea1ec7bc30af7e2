import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { RepeatedEvent } from '../../../src/audit/event.gen.ts';
import type { Draft } from '../../../src/audit/event.ts';
import { type Refusal, RepeatedRefusals } from '../../../src/audit/repeated.ts';
import { AUDIT_REPEATED_KEYS_MAX, AUDIT_REPEATED_WINDOW_MS } from '../../../src/base/limits.ts';
import { seededRandom } from '../card/random.ts';

const START = Date.UTC(2030, 0, 1);

function of(host: string, reason: string = 'egress.no-rule'): Refusal {
  return { reason, host, port: 443 };
}

/** A summariser and what became of every refusal. */
class Desk {
  readonly repeated = new RepeatedRefusals();
  readonly lines: (Refusal | Draft<RepeatedEvent>)[] = [];

  refuse(refusal: Refusal, nowMs: number): void {
    if (this.repeated.count(refusal, nowMs)) return;
    this.lines.push(refusal);
    this.repeated.written(refusal, nowMs);
  }

  settle(nowMs: number, isEnd: boolean = false): void {
    this.repeated.settle((draft) => this.lines.push(draft), nowMs, isEnd);
  }
}

function repeated(refusal: Refusal, count: number, sinceMs: number): Draft<RepeatedEvent> {
  return { kind: 'repeated', ...refusal, count, since: new Date(sinceMs).toISOString() };
}

test('the first refusal is written, more like it are counted and told when the window is over', () => {
  const desk = new Desk();
  for (let index = 0; index < 100; index += 1) desk.refuse(of('a'), START + index);
  desk.settle(START + AUDIT_REPEATED_WINDOW_MS - 1);
  assert.deepEqual(desk.lines, [of('a')]);
  desk.settle(START + AUDIT_REPEATED_WINDOW_MS);
  assert.deepEqual(desk.lines, [of('a'), repeated(of('a'), 99, START + 1)]);
});

test('a flood that goes on takes one line for each window', () => {
  const desk = new Desk();
  for (let second = 0; second <= 300; second += 1) {
    desk.settle(START + second * 1000);
    for (let index = 0; index < 50; index += 1) desk.refuse(of('a'), START + second * 1000);
  }
  assert.equal(desk.lines.length, 1 + 300_000 / AUDIT_REPEATED_WINDOW_MS);
});

test('a refusal that came once is forgotten after its window, and written again when it comes again', () => {
  const desk = new Desk();
  desk.refuse(of('a'), START);
  assert.equal(desk.repeated.nextMs, START + AUDIT_REPEATED_WINDOW_MS);
  desk.settle(START + AUDIT_REPEATED_WINDOW_MS);
  assert.equal(desk.repeated.nextMs, null);
  desk.refuse(of('a'), START + AUDIT_REPEATED_WINDOW_MS);
  assert.deepEqual(desk.lines, [of('a'), of('a')]);
});

test('refusals that differ in host, port or reason are told apart', () => {
  const desk = new Desk();
  const all = [of('a'), of('b'), of('a', 'egress.port'), { ...of('a'), port: 80 }, { ...of('a'), port: null }];
  for (const refusal of all) desk.refuse(refusal, START);
  assert.deepEqual(desk.lines, all);
});

test('of too many different refusals at once, those beyond the bound are counted by their reason', () => {
  const desk = new Desk();
  for (let index = 0; index < AUDIT_REPEATED_KEYS_MAX + 1000; index += 1) desk.refuse(of(`h${index}`), START);
  desk.refuse(of('z', 'egress.port'), START);
  assert.equal(desk.lines.length, AUDIT_REPEATED_KEYS_MAX);
  desk.settle(START + 1, true);
  assert.deepEqual(desk.lines.slice(AUDIT_REPEATED_KEYS_MAX), [
    repeated({ reason: 'egress.no-rule', host: null, port: null }, 1000, START),
    repeated({ reason: 'egress.port', host: null, port: null }, 1, START),
  ]);
});

test('what was written and what was counted is together what was refused, whatever comes in whatever order', () => {
  for (let seed = 1; seed <= 200; seed += 1) {
    const random = seededRandom(seed);
    const desk = new Desk();
    const hosts = random.pick([2, 20, 2 * AUDIT_REPEATED_KEYS_MAX]);
    let now = START;
    const refused = new Map<string, number>();
    for (let step = 0; step < 2000; step += 1) {
      now += random.once(50) ? AUDIT_REPEATED_WINDOW_MS : random.below(20);
      if (random.once(500)) now -= 2 * AUDIT_REPEATED_WINDOW_MS;
      if (random.once(20)) desk.settle(now);
      const refusal = of(`h${random.below(hosts)}`, random.pick(['egress.no-rule', 'egress.port']));
      refused.set(refusal.reason, (refused.get(refusal.reason) ?? 0) + 1);
      desk.refuse(refusal, now);
    }
    desk.settle(now, true);
    const told = new Map<string, number>();
    for (const line of desk.lines)
      told.set(line.reason, (told.get(line.reason) ?? 0) + ('count' in line ? line.count : 1));
    assert.deepEqual(new Map([...told].sort()), new Map([...refused].sort()), `seed ${seed}`);
    assert.equal(desk.repeated.nextMs, null);
  }
});

test('a count that could not be written is handed over again', () => {
  const desk = new Desk();
  for (let index = 0; index < 3; index += 1) desk.refuse(of('a'), START);
  const full = new Error('no space');
  const over = START + AUDIT_REPEATED_WINDOW_MS;
  assert.throws(
    () =>
      desk.repeated.settle(() => {
        throw full;
      }, over),
    full,
  );
  desk.refuse(of('a'), over);
  desk.settle(over);
  assert.deepEqual(desk.lines, [of('a'), repeated(of('a'), 3, START)]);
});
