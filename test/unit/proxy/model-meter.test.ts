import assert from 'node:assert/strict';
import test from 'node:test';
import type { FinishedCall } from '../../../src/audit/event.ts';
import type { Budget, Gateway, GatewayUsage } from '../../../src/policy/table.ts';
import { ModelMeter } from '../../../src/proxy/model-meter.ts';
import { usage } from '../audit/samples.ts';

const GATEWAYS: readonly Pick<Gateway, 'mount' | 'provider'>[] = [
  { mount: '/anthropic', provider: 'anthropic' },
  { mount: '/git/git.example.com', provider: 'git' },
];
const NONE: Budget = { requests: null, tokens: null };

function makeMeter(budget: Partial<Budget> = {}, before: readonly GatewayUsage[] = []): [ModelMeter, FinishedCall[]] {
  const finished: FinishedCall[] = [];
  const meter = new ModelMeter(before, (call) => finished.push(call));
  meter.replace(GATEWAYS, { ...NONE, ...budget });
  return [meter, finished];
}

/** A call from its beginning to its end. */
function callOnce(meter: ModelMeter, tokens: [number, number] | null, bytes: number = 100, status: number = 200): void {
  const call = meter.begin('/anthropic', 'POST');
  call.sent(bytes);
  call.received(bytes);
  call.finish(status, tokens === null ? null : { inputTokens: tokens[0], outputTokens: tokens[1] });
}

test('a call costs what its answer states, else a quarter of its bytes, and an error nothing', () => {
  const [meter, finished] = makeMeter();
  callOnce(meter, [30, 4]);
  callOnce(meter, null, 101);
  callOnce(meter, null, 1000, 529);
  callOnce(meter, [5, 0], 1000, 400);
  callOnce(meter, null, 6, 0);
  assert.deepEqual(
    finished.map(({ status, inputTokens, outputTokens, estimatedTokens }) => [
      status,
      inputTokens,
      outputTokens,
      estimatedTokens,
    ]),
    [
      [200, 30, 4, 0],
      [200, 0, 0, 51],
      [529, 0, 0, 0],
      [400, 5, 0, 0],
      [0, 0, 0, 3],
    ],
  );
  const total = {
    ...usage({ requests: 5, modelCalls: 5, bytesSent: 2207, bytesReceived: 2207 }),
    ...{ inputTokens: 35, outputTokens: 4, estimatedTokens: 54 },
  };
  assert.deepEqual(meter.usage[0], total);
  assert.deepEqual(finished.at(-1)?.totals, total);
  assert.deepEqual(meter.spent, { modelCalls: 5, tokensSpent: 93 });
});

test('what calls no model is counted and costs nothing', () => {
  const [meter, finished] = makeMeter({ requests: 1, tokens: 1 });
  callOnce(meter, [1, 0]);
  for (const [mount, method] of [
    ['/anthropic', 'GET'],
    ['/anthropic', 'HEAD'],
    ['/git/git.example.com', 'POST'],
  ] as const) {
    assert.equal(meter.admit(mount, method), null);
    const call = meter.begin(mount, method);
    call.sent(5000);
    call.received(5000);
    call.finish(200, { inputTokens: 7, outputTokens: 7 });
  }
  assert.deepEqual(
    finished
      .slice(1)
      .map(({ inputTokens, estimatedTokens, totals }) => [
        inputTokens,
        estimatedTokens,
        totals.requests,
        totals.modelCalls,
      ]),
    [
      [0, 0, 2, 1],
      [0, 0, 3, 1],
      [0, 0, 1, 0],
    ],
  );
  assert.equal(meter.admit('/anthropic', 'POST'), 'egress.budget');
});

test('a budget of requests is never overspent, however many begin at once', () => {
  const [meter] = makeMeter({ requests: 3 });
  const admitted = Array.from({ length: 10 }, () => meter.admit('/anthropic', 'POST') ?? meter.begin('/anthropic'));
  assert.equal(admitted.filter((one) => typeof one !== 'string').length, 3);
});

test('a call on its way counts by its bytes until it ends, and for good if nobody says how', () => {
  const [meter, finished] = makeMeter({ tokens: 100 });
  const call = meter.begin('/anthropic');
  call.sent(399);
  assert.equal(meter.admit('/anthropic', 'POST'), 'egress.budget');
  call.finish(200, { inputTokens: 99, outputTokens: 0 });
  assert.equal(meter.admit('/anthropic', 'POST'), null);
  meter.begin('/anthropic').sent(4);
  assert.deepEqual(meter.spent, { modelCalls: 2, tokensSpent: 100 });
  assert.equal(meter.admit('/anthropic', 'POST'), 'egress.budget');
  assert.equal(finished.length, 1);
});

test('a call ends once', () => {
  const [meter, finished] = makeMeter();
  const call = meter.begin('/anthropic');
  call.finish(200, { inputTokens: 1, outputTokens: 2 });
  call.finish(500, { inputTokens: 10, outputTokens: 20 });
  call.received(4000);
  assert.equal(finished.length, 1);
  assert.deepEqual(meter.spent, { modelCalls: 1, tokensSpent: 3 });
});

test('what was used before counts, also through a gateway that is gone, and a larger budget lets calls go on', () => {
  const gone = usage({ mount: '/openai/v1', provider: 'openai', modelCalls: 4 });
  const [meter] = makeMeter({ requests: 5 }, [gone, usage({ modelCalls: 1 })]);
  assert.equal(meter.admit('/anthropic', 'POST'), 'egress.budget');
  assert.deepEqual(
    meter.usage.map(({ mount, modelCalls }) => [mount, modelCalls]),
    [
      ['/anthropic', 1],
      ['/git/git.example.com', 0],
    ],
  );
  meter.replace(GATEWAYS, { requests: 6, tokens: null });
  assert.equal(meter.admit('/anthropic', 'POST'), null);
  meter.begin('/anthropic');
  assert.equal(meter.admit('/anthropic', 'POST'), 'egress.budget');
});
