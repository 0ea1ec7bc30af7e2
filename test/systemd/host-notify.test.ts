import assert from 'node:assert/strict';
import { join } from 'node:path';
import test from 'node:test';
import { pathToFileURL } from 'node:url';
import { openNotifier } from '../../src/host/notify.ts';
import { CHECKOUT } from '../helpers/checkout.ts';
import { openThisHost } from '../helpers/linux-host.ts';

const UNIT = 'sandboxed-agent@host-notify.service';
const NOTIFY = pathToFileURL(join(CHECKOUT, 'build/src/host/notify.js')).href;

/** A daemon that says it is ready, then, at a signal, that it stops. */
const SCRIPT = `
  import { openNotifier } from '${NOTIFY}';
  const notifier = openNotifier(process.env.NOTIFY_SOCKET ?? null);
  process.on('SIGUSR1', () => notifier.stopping());
  setInterval(() => undefined, 1000);
  await notifier.ready('2 agents\\nSTOPPING=1');
`;

test('readiness, status and stopping reach PID 1, and a status brings no assignment of its own', async () => {
  await using host = await openThisHost();
  const words = [process.execPath, '--input-type=module', '-e', SCRIPT];
  const stops = new Promise<void>((resolve) => {
    host.units.watch({
      changed: (unit, state) => {
        if (unit === UNIT && state?.activeState === 'deactivating') resolve();
      },
      lost: () => undefined,
    });
  });
  const result = await host.units.startTransient(UNIT, [
    { name: 'Type', signature: 's', value: 'notify' },
    { name: 'NotifyAccess', signature: 's', value: 'all' },
    { name: 'CollectMode', signature: 's', value: 'inactive-or-failed' },
    { name: 'ExecStartEx', signature: 'a(sasas)', value: [[words[0] ?? '', words, ['no-env-expand']]] },
  ]);
  try {
    assert.equal(result, 'done');
    const state = await host.units.state(UNIT);
    assert.deepEqual([state?.activeState, state?.statusText], ['active', '2 agents STOPPING=1']);
    await host.units.kill(UNIT, 10);
    await stops;
  } finally {
    await host.units.kill(UNIT, 9);
    await host.units.stop(UNIT);
  }
});

test('without a service manager nothing is told, and nothing is started for it', async () => {
  const path = process.env['PATH'];
  // The program the package would start cannot be found; that it does not fail shows that it is not looked for.
  process.env['PATH'] = '/nonexistent';
  try {
    for (const socket of [null, '']) {
      const notifier = openNotifier(socket);
      await notifier.ready('ready');
      await notifier.status('still');
      await notifier.stopping();
    }
    await assert.rejects(openNotifier('/nonexistent/socket').ready('ready'), { code: 'host.call-failed' });
  } finally {
    process.env['PATH'] = path;
  }
});
