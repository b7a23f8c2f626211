import type { Model } from '../../core/onnx/model.ts';
import { encodeSnapshot } from '../../core/program/safetensors.ts';
import { spread } from '../logits/score-rows.ts';
import type { Results } from '../results.ts';
import type { StageContext } from '../stage.ts';
import { validateStudent } from '../student/validate-student.ts';
import { drawnPlan, randomLogits } from '../training/drawn-plan.ts';
import type { Rows } from '../training/open-rows.ts';
import type { PlacedPhase } from '../training/place-phases.ts';
import { validationRows } from '../training/validation-rows.ts';
import { stepPace } from './step-pace.ts';

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
  /** Steps of a round. */
  readonly roundSteps: number;
}

/**
 * Opens a phase of the student's own run and makes some steps of it, then one round. The teacher has not been asked yet,
 * so its logits are drawn at random: they cost the same.
 */
export async function trainingPace(
  student: Model,
  done: Pick<Results, 'inspect'>,
  rows: Rows,
  context: StageContext,
  phase: PlacedPhase,
): Promise<TrainingPace> {
  const { clock, blobs } = context;
  const { classes } = done.inspect.plan.scores;
  const plan = await drawnPlan(student, done, rows, context, phase);
  const timed = async <T>(work: () => Promise<T>): Promise<readonly [number, T]> => {
    const from = clock.precise();
    const value = await work();
    return [clock.precise() - from, value];
  };
  let after = { round: 0, row: 0, write: 0 };
  const { open, step } = await stepPace(plan, context, BUDGET_MS, async (trainer) => {
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
    after = { round, row, write };
  });
  return { open, step, ...after, roundSteps: plan.roundSteps };
}
