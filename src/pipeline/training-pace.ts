import type { Model } from '../core/onnx/model.ts';
import { encodeSnapshot } from '../core/program/safetensors.ts';
import { Random } from '../core/random.ts';
import { RetortError } from '../errors.ts';
import type { Rows } from './open-rows.ts';
import { paceOf } from './pace.ts';
import { planTraining } from './plan-training.ts';
import type { Results } from './results.ts';
import { spread } from './score-rows.ts';
import type { StageContext } from './stage.ts';
import { distilledRun } from './student-run.ts';
import { trainChunk } from './training-run.ts';
import { validateStudent } from './validate-student.ts';
import { validationRows } from './validation-rows.ts';

const BUDGET_MS = 2000;
/** Validation rows that are looked at twice, and those that are looked at once more: the difference is the pace. */
const FEW = 64;
const MORE = 320;
/** Blobs and records that a round writes. */
const WRITES = 4;

/** What training costs, milliseconds. */
export interface TrainingPace {
  readonly open: number;
  readonly step: number;
  /** Validation and checkpoint, once per round. */
  readonly round: number;
  /** The student in the runtime, per row. */
  readonly row: number;
  /** A small blob into the store. */
  readonly write: number;
  readonly steps: number;
  readonly rounds: number;
}

/**
 * Opens the student's own run and makes some steps of it, then one round. The teacher has not been asked yet, so its
 * logits are drawn at random: they cost the same.
 */
export async function trainingPace(
  student: Model,
  done: Pick<Results, 'inspect'>,
  rows: Rows,
  context: StageContext,
): Promise<TrainingPace> {
  const { spec, clock, blobs } = context;
  const { classes } = done.inspect.plan.scores;
  let drawn: Float32Array | undefined;
  const teacher = async (): Promise<Float32Array> => {
    drawn ??= randomLogits(rows.dataset.splits.train.length * classes);
    return drawn;
  };
  const plan = planTraining({ ...distilledRun(spec), student, rows, teacher }, done, context);
  const { kernel, program, settings, seed, totalSteps, roundSteps } = plan;
  const timed = async <T>(work: () => Promise<T>): Promise<readonly [number, T]> => {
    const from = clock.precise();
    const value = await work();
    return [clock.precise() - from, value];
  };
  const { device, threads } = settings;
  const [open, trainer] = await timed(() => kernel.open(program, { device, threads, seed }));
  try {
    let at = 0;
    const step = await paceOf(clock, BUDGET_MS, async (round) => {
      const wanted = round === 0 ? 1 : Math.min(trainer.preferredSteps, roundSteps);
      const steps = Math.min(wanted, totalSteps - at);
      if (steps === 0) return 0;
      const ran = await trainChunk(plan, trainer, at, steps).catch(divergence);
      at += steps;
      return ran ? steps : 0;
    });
    const snapshot = await trainer.snapshot();
    const validate = async (seen: Uint32Array): Promise<number> => {
      const set = { student, rows, seen, teacherLogits: randomLogits(seen.length * classes) };
      return (await timed(() => validateStudent(snapshot, set, done, context)))[0];
    };
    const all = validationRows(rows.dataset);
    const [some, many] = [spread(all, FEW), spread(all, MORE)];
    // The first one allocates; of the others the quicker one, for a pause of the machine would be taken for work.
    await validate(some);
    const short = Math.min(await validate(some), await validate(some));
    const long = Math.min(await validate(many), await validate(many));
    const difference = (long - short) / Math.max(1, many.length - some.length);
    const row = Math.min(Math.max(0, difference), long / Math.max(1, many.length));
    const [encode] = await timed(async () => encodeSnapshot(snapshot));
    // Always the same bytes: what is left of it in the store is one small blob.
    const [write] = await timed(() => blobs.put(new Uint8Array(4096)));
    const round = Math.max(0, short - some.length * row) + all.length * row + 2 * encode + WRITES * write;
    return { open, step, round, row, write, steps: totalSteps, rounds: Math.ceil(totalSteps / roundSteps) };
  } finally {
    await trainer.close();
  }
}

/** Targets drawn at random prove nothing about the real ones. */
function divergence(error: unknown): undefined {
  if (error instanceof RetortError && error.code === 'TRAIN_DIVERGED') return undefined;
  throw error;
}

/** Numbers of the size of logits; a block of them, repeated. */
function randomLogits(count: number): Float32Array {
  const random = new Random(0, 'estimate');
  const all = new Float32Array(count);
  const block = Math.min(count, 4099);
  for (let i = 0; i < block; i++) all[i] = 8 * random.uniform() - 4;
  for (let filled = block; filled > 0 && filled < count; filled *= 2) {
    all.copyWithin(filled, 0, Math.min(filled, count - filled));
  }
  return all;
}
