import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** Absolute path of the checkout this set-up code belongs to. */
export const CHECKOUT = dirname(dirname(dirname(fileURLToPath(import.meta.url))));

/**
 * Absolute path of something in the checkout.
 * @param {...string} parts
 * @returns {string}
 */
export function inCheckout(...parts) {
  return join(CHECKOUT, ...parts);
}

/**
 * Where the user was: npm itself changes to the root of the checkout.
 * @returns {string}
 */
export function callerDirectory() {
  return process.env['INIT_CWD'] ?? process.cwd();
}
