import assert from 'node:assert/strict';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'node:test';
import { auditSubject, decisionDraft, modelCallDraft, modelTotalsDraft } from '../../../src/audit/event.ts';
import { AUDIT_FILE_BYTES_MAX } from '../../../src/base/limits.ts';
import type { GatewayUsage } from '../../../src/policy/table.ts';
import { AuditLog } from '../../../src/proxy/audit-log.ts';
import { FakeClock } from '../../helpers/fake-clock.ts';
import { makeScratch, type Scratch } from '../../helpers/scratch.ts';
import { ADDRESS, decision, INTENT, modelCall, SINCE, usage } from '../audit/samples.ts';

const LATER = SINCE + 1;

function openLog({ path }: Scratch): AuditLog {
  return AuditLog.open(path, 'demo', new FakeClock());
}

function after(requests: number, changes: Partial<GatewayUsage> = {}): GatewayUsage {
  return usage({ requests, ...changes });
}

test('the totals of a life are those of its last call through each gateway', async () => {
  await using scratch = await makeScratch();
  using log = openLog(scratch);
  assert.deepEqual(log.usage(SINCE), []);
  const other = { mount: '/openai/v1', provider: 'openai' } as const;
  log.write(modelCallDraft(modelCall({ totals: after(1) }), SINCE));
  log.write(modelCallDraft(modelCall({ ...other, totals: after(7, other) }), SINCE));
  log.write(modelCallDraft(modelCall({ totals: after(2) }), SINCE));
  assert.deepEqual(log.usage(SINCE), [after(2), after(7, other)]);
  assert.deepEqual(log.usage(LATER), []);
  log.write(modelCallDraft(modelCall({ totals: after(1) }), LATER));
  assert.deepEqual(log.usage(LATER), [after(1)]);
  assert.deepEqual(log.usage(SINCE), [after(2), after(7, other)]);
});

test('a line that was changed, and a text that looks like one, say nothing', async () => {
  await using scratch = await makeScratch();
  using log = openLog(scratch);
  const path = '/"kind":"model-call","mount":"/anthropic"';
  log.write(modelCallDraft(modelCall({ totals: after(2) }), SINCE));
  log.write(decisionDraft({ ...auditSubject(INTENT), path }, decision(), ADDRESS));
  log.write(modelCallDraft(modelCall({ totals: after(3) }), SINCE));
  assert.deepEqual(log.usage(SINCE), [after(3)]);
  const file = join(scratch.path, 'demo', 'audit.jsonl');
  writeFileSync(file, readFileSync(file, 'latin1').replace('"requests":3', '"requests":1'));
  assert.deepEqual(log.usage(SINCE), [after(2)]);
});

test('the totals outlast the files that the calls stood in', async () => {
  await using scratch = await makeScratch();
  using log = openLog(scratch);
  log.carry(() => [modelTotalsDraft(after(2), SINCE)]);
  log.write(modelCallDraft(modelCall({ totals: after(2) }), SINCE));
  const subject = { ...auditSubject(INTENT), path: '/'.padEnd(400, 'x') };
  const older = join(scratch.path, 'demo', 'audit.jsonl.1');
  for (let written = 0; written < 2.2 * AUDIT_FILE_BYTES_MAX; written += 700)
    log.write(decisionDraft(subject, decision(), ADDRESS));
  assert.ok(existsSync(older) && !readFileSync(older, 'latin1').includes('"kind":"model-call"'), 'the call is gone');
  assert.deepEqual(log.usage(SINCE), [after(2)]);
});
