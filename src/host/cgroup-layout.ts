import type { HostFiles } from './host.ts';

/** Largest mount table read, bytes; a line is about a hundred. */
const MOUNTINFO_BYTES_MAX = 16 * 1024 * 1024;
/** Largest list of controllers read, bytes. */
const CONTROLLERS_BYTES_MAX = 4096;

/** Where the controllers that limit agents are: in the one hierarchy of version 2, or in version 1's. */
export async function probeCgroupLayout(files: Pick<HostFiles, 'read'>): Promise<'unified' | 'hybrid'> {
  const mountinfo = await files.read('/proc/self/mountinfo', MOUNTINFO_BYTES_MAX);
  for (const mountPoint of unifiedMounts(decode(mountinfo))) {
    const controllers = await files.read(`${mountPoint}/cgroup.controllers`, CONTROLLERS_BYTES_MAX).catch(() => null);
    const names = decode(controllers).trim().split(' ');
    if (names.includes('memory') && names.includes('pids')) return 'unified';
  }
  return 'hybrid';
}

/** Mount points of cgroup version 2 in text of proc_pid_mountinfo(5). */
export function unifiedMounts(mountinfo: string): readonly string[] {
  const points: string[] = [];
  for (const line of mountinfo.split('\n')) {
    // Optional fields come before a lone dash, the type of the file system after it.
    const [fields, rest] = line.split(' - ', 2);
    const point = fields?.split(' ')[4];
    if (point !== undefined && rest?.startsWith('cgroup2 ') === true) points.push(unescapeOctal(point));
  }
  return points;
}

function unescapeOctal(text: string): string {
  return text.replaceAll(/\\([0-7]{3})/g, (_, octal: string) => String.fromCharCode(Number.parseInt(octal, 8)));
}

function decode(bytes: Uint8Array | null): string {
  return bytes === null ? '' : new TextDecoder().decode(bytes);
}
