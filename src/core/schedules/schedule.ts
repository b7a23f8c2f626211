import Type, { type Static, type TObject } from 'typebox';
import type { EntrySpec } from '../options.ts';

/** What a spec says of its schedule: a registry name and that entry's options. */
export type ScheduleSpec = EntrySpec;

export interface ScheduleContext {
  /** Number of optimizer steps of the whole run. */
  readonly totalSteps: number;
  readonly stepsPerEpoch: number;
}

/** A value as a pure function of the step: learning rate, momentum, temperature, loss weight. */
export interface Schedule<S extends TObject = TObject> {
  readonly name: string;
  readonly summary: string;
  readonly citation?: string;
  /** Every schedule has `warmup`, a fraction of the run. */
  readonly options: S;
  /** Multiplier of the base learning rate at `step` (0 at the first). */
  learningRate(step: number, context: ScheduleContext, options: Static<S>): number;
  /** The optimizer's momentum at `step`, where the schedule cycles it. */
  momentum?(step: number, context: ScheduleContext, options: Static<S>): number | undefined;
}

export const warmup = (fraction: number) =>
  Type.Number({
    default: fraction,
    minimum: 0,
    exclusiveMaximum: 1,
    description: 'Part of the run during which the rate rises to its full value.',
  });

/**
 * A linear rise over the first W = round(warmup * total) steps, (step + 1) / (W + 1), and then `rest` of the progress
 * through the remaining steps, 0 at the first of them and 1 just after the last.
 */
export function warmed(
  step: number,
  { totalSteps }: ScheduleContext,
  fraction: number,
  rest: (progress: number) => number,
): number {
  const rise = Math.round(fraction * totalSteps);
  return step < rise ? (step + 1) / (rise + 1) : rest((step - rise) / Math.max(1, totalSteps - rise));
}

/** From `start` at progress 0 to `end` at 1 along half a cosine. */
export const cosineBetween = (start: number, end: number, progress: number): number =>
  end + ((start - end) / 2) * (1 + Math.cos(Math.PI * progress));

/** From `start` at progress 0 to `end` at 1 in a straight line. */
export const lineBetween = (start: number, end: number, progress: number): number =>
  start + (end - start) * progress;
