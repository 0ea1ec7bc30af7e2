import { inCheckout } from './checkout.mjs';
import { apiFiles } from './generate-api.mjs';
import { auditFiles } from './generate-audit.mjs';
import { cardFiles } from './generate-card.mjs';
import { configFiles } from './generate-config.mjs';
import { nixFiles } from './generate-nix.mjs';
import { placeFile } from './place.mjs';
import { isCommand, report, runCommand } from './report.mjs';

/**
 * Every file that is made from another one and committed; nothing is written.
 * @returns {Promise<{ path: string, text: string }[]>} paths relative to the checkout
 */
export async function generatedFiles() {
  return [
    ...(await cardFiles()),
    ...(await configFiles()),
    ...(await auditFiles()),
    ...(await apiFiles()),
    ...nixFiles(),
  ];
}

if (isCommand(import.meta.url)) {
  await runCommand(async () => {
    for (const { path, text } of await generatedFiles()) {
      placeFile(inCheckout(path), text);
      report(`wrote ${path}`);
    }
    return 0;
  });
}
