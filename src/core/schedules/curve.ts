import { lineBetween } from './schedule.ts';

/** A value that changes during a phase, as plain data: from one number to another along its steps. */
export interface Curve {
  readonly from: number;
  readonly to: number;
  /** Part of the phase after which `to` is reached and kept; 1 for all of it. */
  readonly over: number;
  /** In so many equal stairs, the first at `from`, the last at `to`; without it in a straight line. */
  readonly stairs?: number;
}

/** The value at `step` (0 at the first) of a phase of `totalSteps`: a function of nothing else. */
export function curveAt({ from, to, over, stairs }: Curve, step: number, totalSteps: number): number {
  const progress = over > 0 ? Math.min(1, step / (over * totalSteps)) : 1;
  if (stairs === undefined) return lineBetween(from, to, progress);
  if (stairs === 1) return to;
  return lineBetween(from, to, Math.min(stairs - 1, Math.floor(progress * stairs)) / (stairs - 1));
}
