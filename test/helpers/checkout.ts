import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';

/** Root of the checkout these tests were built from. */
export const CHECKOUT: string = findCheckout(import.meta.dirname);

function findCheckout(directory: string): string {
  if (existsSync(join(directory, 'package-lock.json'))) return directory;
  return findCheckout(dirname(directory));
}
