import type { Trainer } from '../../core/program/kernel.ts';
import { objectiveScalars } from '../../core/program/objective-scalars.ts';
import { optimizerScalars } from '../../core/schedules/optimizer-scalars.ts';
import type { Clock } from '../ports.ts';
import { runSteps } from './run-steps.ts';
import type { TrainingRun } from './training-run.ts';

/** Where the time of steps went, milliseconds. */
export interface StepTimes {
  /** The kernel had no data: it waited for pixels and for what the teacher says of them. */
  readonly waited: number;
  /** The kernel was at work. */
  readonly ran: number;
}

interface WantedChunk {
  /** Counted within the phase. */
  readonly first: number;
  readonly steps: number;
  /** Called when the data are there, before the kernel is given them: it may hold this thread until it is done. */
  readonly prefetch?: () => void;
  readonly clock: Pick<Clock, 'precise'>;
}

/** Runs K steps; returns their figures, K numbers each. */
export async function trainChunk(
  { program, settings, batches, phase, taps }: Omit<TrainingRun, 'validate' | 'stepsBefore'>,
  trainer: Trainer,
  { first, steps, prefetch, clock }: WantedChunk,
): Promise<StepTimes & { readonly figures: Readonly<Record<string, Float32Array>> }> {
  const context = { totalSteps: phase.schedule.steps, stepsPerEpoch: batches.stepsPerEpoch };
  const scheduled = phase.schedule.first + first;
  const scalars = {
    ...optimizerScalars(settings.optimizer, settings.schedule, context, scheduled, steps),
    ...objectiveScalars(phase.terms, phase.schedule.steps, scheduled, steps),
  };
  const asked = clock.precise();
  const feeds = await batches.chunk(phase.start + first, steps);
  const given = clock.precise();
  prefetch?.();
  const { loss, metrics } = await runSteps(trainer, { steps, feeds, scalars }, taps);
  const done = clock.precise();
  const terms = program.metrics.map((name) => [name, metrics[name]!] as const);
  return {
    figures: { loss, ...Object.fromEntries(terms), learningRate: scalars.learning_rate! },
    waited: given - asked,
    ran: done - given,
  };
}
