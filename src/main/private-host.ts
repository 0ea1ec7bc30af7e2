import { once } from 'node:events';
import { bootPrivateHost } from '../private-host/boot.ts';
import { exitStatus } from '../private-host/private-host.ts';

const argv = process.argv.slice(2);
const isBare = argv[0] === '--bare';
if (isBare) argv.shift();
if (argv[0] === '--') argv.shift();
const t = process.hrtime.bigint();
async function main() {
  const host = await bootPrivateHost({ isBare, onLayout: (l) => console.error(l) });
  console.error(Number(process.hrtime.bigint() - t) / 1e6);
  const child = host.spawn(argv, { stdio: 'inherit' });
  await once(child, 'exit');
  console.error(Number(process.hrtime.bigint() - t) / 1e6);
  await host.stop();
  console.error(Number(process.hrtime.bigint() - t) / 1e6);
  process.exitCode = exitStatus(child);
}
main();
