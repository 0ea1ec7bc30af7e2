import type { PublishAddresses } from '../plan/publish.ts';
import type { UidRange } from '../plan/workspace.ts';
import type { CardEffect } from './cards-report.ts';
import type { StepGround } from './executors.ts';
import type { LinkTable } from './link-table.ts';
import type { Registry } from './registry.ts';
import type { Turnstile } from './turnstile.ts';

/** Something worth a line in the daemon's log; the engine itself does not log. */
export type EngineEvent =
  | { readonly kind: 'started'; readonly id: string; readonly uid: number; readonly origin: 'spawned' | 'declared' }
  | { readonly kind: 'ended'; readonly id: string; readonly outcome: string }
  | { readonly kind: 'adopted'; readonly id: string }
  | { readonly kind: 'removed'; readonly id: string; readonly reason: string }
  | { readonly kind: 'card-refused'; readonly id: string; readonly problem: string }
  | { readonly kind: 'card-installed'; readonly id: string }
  /** A running agent was restarted or stopped because its card changed. */
  | { readonly kind: 'card-followed'; readonly id: string; readonly did: CardEffect['did'] }
  | {
      readonly kind: 'egress-changed';
      readonly id: string;
      readonly action: 'allow' | 'deny';
      readonly host: string;
      readonly rule: string;
    }
  | { readonly kind: 'credentials-reloaded'; readonly id: string; readonly changed: readonly string[] }
  | { readonly kind: 'ignored-failure'; readonly operation: string; readonly failure: string };

/** What the parts of the engine share. */
export interface EngineContext extends StepGround {
  readonly uidRange: UidRange;
  /** Addresses of the host that ports may be published on. */
  readonly publishAddresses: readonly PublishAddresses[];
  /** Agents may use the network of the host. */
  readonly allowHostNetwork: boolean;
  /** Upstream proxy, a URL, of agents whose card names none; null for none. */
  readonly proxy: string | null;
  /** A declared agent that runs follows its card at once: a changed one restarts it, a removed one stops it. */
  readonly restartChanged: boolean;
  readonly registry: Registry;
  readonly links: LinkTable;
  readonly starts: Turnstile;
  /** The uid of an agent id, stored before it is used. */
  reserveUid(id: string): Promise<number>;
  report(event: EngineEvent): void;
}

/** Runs something whose failure is survived, and says so. */
export async function tolerate(
  context: Pick<EngineContext, 'report'>,
  operation: string,
  task: () => Promise<unknown>,
): Promise<void> {
  try {
    await task();
  } catch (error) {
    context.report({
      kind: 'ignored-failure',
      operation,
      failure: error instanceof Error ? error.message : String(error),
    });
  }
}
