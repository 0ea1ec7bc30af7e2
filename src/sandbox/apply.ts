import type { Step } from '../plan/step.ts';
import { execute, type StepGround, type Undo } from './executors.ts';

/** Steps that were done, and the way back. */
export interface Applied {
  /** Takes the steps back in reverse order. Never throws; resolves with a sentence for each step that could not be taken back. */
  undo(): Promise<readonly string[]>;
}

/** Does the steps in order. When one fails, the ones before it are taken back and the failure is thrown. */
export async function applySteps(ground: StepGround, steps: readonly Step[]): Promise<Applied> {
  const done: { readonly kind: string; readonly undo: Undo }[] = [];
  try {
    for (const step of steps) done.push({ kind: step.kind, undo: await execute(ground, step) });
  } catch (error) {
    await unwind(done);
    throw error;
  }
  return { undo: () => unwind(done) };
}

async function unwind(done: { readonly kind: string; readonly undo: Undo }[]): Promise<readonly string[]> {
  const remains: string[] = [];
  for (let entry = done.pop(); entry !== undefined; entry = done.pop()) {
    try {
      await entry.undo();
    } catch (error) {
      remains.push(`${entry.kind} could not be undone: ${error instanceof Error ? error.message : String(error)}`);
    }
  }
  return remains;
}
