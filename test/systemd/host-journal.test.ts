import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import test from 'node:test';
import { openThisHost } from '../helpers/linux-host.ts';

const SLEEP = ['/bin/sleep', '1000'];

/** Messages that journalctl shows for a unit, in order. */
function messagesOf(unit: string): readonly string[] {
  execFileSync('journalctl', ['--sync']);
  const json = execFileSync('journalctl', ['--unit', unit, '--output=json', '--no-pager', '--all'], {
    maxBuffer: 256 * 1024 * 1024,
  }).toString();
  const entries = json
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as Readonly<Record<string, unknown>>);
  return entries
    .filter((entry) => entry['SYSLOG_IDENTIFIER'] === 'agent-host-journal')
    .map((entry) => `${entry['PRIORITY']} ${entry['AGENT_ID']} ${entry['MESSAGE']}`);
}

function uniqueUnit(name: string): string {
  return `sandboxed-agent@host-journal-${name}.service`;
}

test('lines are shown by journalctl for the unit, with newlines and every character', async () => {
  await using host = await openThisHost();
  const unit = uniqueUnit('shown');
  const lines = ['plain', 'two\nlines', 'ünï €', '_UID=7', ''];
  await host.journal.append({ unit, identifier: 'agent-host-journal', priority: 5, lines });
  assert.deepEqual(
    messagesOf(unit),
    lines.map((line) => `5 host-journal-shown ${line}`),
  );
});

test('more lines than the journal takes at once arrive whole and in order', async () => {
  await using host = await openThisHost();
  const unit = uniqueUnit('many');
  const lines = Array.from({ length: 1500 }, (_, index) => `line ${index}`);
  await host.journal.append({ unit, identifier: 'agent-host-journal', priority: 6, lines });
  assert.deepEqual(
    messagesOf(unit),
    lines.map((line) => `6 host-journal-many ${line}`),
  );
});

test('lines of one unit are not shown for another', async () => {
  await using host = await openThisHost();
  await host.journal.append({
    unit: uniqueUnit('one'),
    identifier: 'agent-host-journal',
    priority: 6,
    lines: ['of one'],
  });
  assert.deepEqual(messagesOf(uniqueUnit('other')), []);
  assert.equal(messagesOf(uniqueUnit('one')).length, 1);
});

test('systemctl status shows the lines of a running unit', async () => {
  await using host = await openThisHost();
  const unit = uniqueUnit('status');
  await host.units.startTransient(unit, [
    { name: 'Type', signature: 's', value: 'exec' },
    { name: 'CollectMode', signature: 's', value: 'inactive' },
    { name: 'ExecStartEx', signature: 'a(sasas)', value: [['/bin/sleep', SLEEP, []]] },
  ]);
  try {
    await host.journal.append({ unit, identifier: 'agent-host-journal', priority: 6, lines: ['said while it runs'] });
    execFileSync('journalctl', ['--sync']);
    assert.match(execFileSync('systemctl', ['status', '--no-pager', unit]).toString(), /said while it runs/);
  } finally {
    await host.units.stop(unit);
  }
});
