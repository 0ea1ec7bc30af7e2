import type { NetworkTools } from '../plan/facts.ts';
import { findTrustedProgram } from './trusted-program.ts';

/** Where units/network-guard looks for them. */
const DIRECTORIES = ['/usr/sbin', '/usr/bin', '/sbin', '/bin', '/run/current-system/sw/bin'];

/** The programs that make links of agents; they can be installed while the daemon runs. */
export async function probeNetworkTools(tools: readonly string[]): Promise<NetworkTools> {
  const [nft, ip] = await Promise.all(['nft', 'ip'].map((name) => findTrustedProgram(name, tools, DIRECTORIES)));
  return { nft: nft ?? null, ip: ip ?? null };
}
