import { RetortError } from '../../errors.ts';
import { cancelled } from '../cancelled.ts';
import type { StageContext } from '../stage.ts';
import type { TrainingPlan } from '../training/plan-training.ts';
import { trainChunk } from '../training/train-chunk.ts';
import { paceOf } from './pace.ts';

export interface StepPace {
  /** Milliseconds to open the kernel, and per step. */
  readonly open: number;
  readonly step: number;
}

/** Opens a run's kernel, makes some of its steps, and lets `use` look at the trainer before it is closed. */
export async function stepPace(
  plan: TrainingPlan,
  { clock, signal }: Pick<StageContext, 'clock' | 'signal'>,
  budget: number,
  use: (trainer: Awaited<ReturnType<TrainingPlan['kernel']['open']>>) => Promise<void> = async () => {},
): Promise<StepPace> {
  const { kernel, program, settings, seed, phase, roundSteps } = plan;
  const { device, threads } = settings;
  const from = clock.precise();
  const trainer = await kernel.open(program, { device, threads, seed });
  const open = clock.precise() - from;
  try {
    let at = 0;
    const step = await paceOf(clock, budget, async (round) => {
      if (signal.aborted) throw cancelled(plan.name);
      const wanted = round === 0 ? 1 : Math.min(trainer.preferredSteps, roundSteps);
      const steps = Math.min(wanted, phase.steps - at);
      if (steps === 0) return 0;
      const ran = await trainChunk(plan, trainer, { first: at, steps, clock }).catch(divergence);
      at += steps;
      return ran ? steps : 0;
    });
    await use(trainer);
    return { open, step };
  } finally {
    await trainer.close();
  }
}

/** Targets drawn at random prove nothing about the real ones. */
function divergence(error: unknown): undefined {
  if (error instanceof RetortError && error.code === 'TRAIN_DIVERGED') return undefined;
  throw error;
}
