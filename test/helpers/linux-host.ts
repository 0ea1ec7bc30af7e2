import type { Host } from '../../src/host/host.ts';
import { type LinuxHostOptions, openLinuxHost } from '../../src/host/linux.ts';

/** The machine this runs on, with agent-spawn where a private host and the VM have it. */
export function openThisHost(options: Partial<LinuxHostOptions> = {}): Promise<Host & AsyncDisposable> {
  return openLinuxHost({ programsDirectory: '/usr/lib/agent-spawn', ...options });
}
