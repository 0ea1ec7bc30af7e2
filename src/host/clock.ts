import { randomBytes } from 'node:crypto';
import type { HostClock } from './host.ts';

/** Time and chance of the machine; the only file that may ask for either. */
export function linuxClock(): HostClock {
  return {
    now: () => Date.now(),
    randomHex: (bytes) => randomBytes(bytes).toString('hex'),
    timer: (delayMs, expired) => {
      const timer = setTimeout(expired, delayMs);
      return { [Symbol.dispose]: () => clearTimeout(timer) };
    },
  };
}
