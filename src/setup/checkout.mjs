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
