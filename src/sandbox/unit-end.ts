import type { UnitState } from '../host/host.ts';

/** Whether PID 1's answer means that nothing of the unit runs or is about to. */
export function hasEnded(state: UnitState | null): boolean {
  if (state === null) return true;
  return (state.activeState === 'inactive' || state.activeState === 'failed') && !state.hasJob;
}

/** A unit that is not loaded any more, with what was told of its end. */
export function forgotten(state: UnitState | null): UnitState | null {
  if (state === null || hasEnded(state)) return state;
  return { ...state, activeState: 'inactive', subState: 'dead', hasJob: false };
}
