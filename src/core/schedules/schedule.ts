import type { Static, TObject } from 'typebox';

export interface ScheduleContext {
  /** Number of optimizer steps of the whole run. */
  readonly totalSteps: number;
  readonly stepsPerEpoch: number;
}

/** A value as a pure function of the step: learning rate, momentum, temperature, loss weight. */
export interface Schedule<S extends TObject = TObject> {
  readonly name: string;
  readonly summary: string;
  readonly options: S;
  /** Multiplier of the base learning rate at `step` (0 at the first). */
  learningRate(step: number, context: ScheduleContext, options: Static<S>): number;
  /** The optimizer's momentum at `step`, where the schedule cycles it. */
  momentum?(step: number, context: ScheduleContext, options: Static<S>): number | undefined;
}
