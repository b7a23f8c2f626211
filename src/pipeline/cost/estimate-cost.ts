import { planInversion } from '../inversion/plan-inversion.ts';
import { shardRowsFor } from '../logits/logits-store.ts';
import { viewCount } from '../logits/view-count.ts';
import type { Results } from '../results.ts';
import type { StageContext } from '../stage.ts';
import { latencyCost } from '../stages/measure.ts';
import type { Rows } from '../training/open-rows.ts';
import { validationRows } from '../training/validation-rows.ts';
import { stepPace } from './step-pace.ts';
import { teachingPace } from './teaching-pace.ts';
import { trainingCost } from './training-cost.ts';

export interface CostEstimate {
  /** Seconds of each stage that takes any; `total` holds the others too. */
  readonly seconds: Readonly<Record<'decode' | 'teach' | 'choose' | 'control' | 'train' | 'total', number>>;
  /** Largest resident memory of the process, bytes. */
  readonly memoryBytes: number;
}

/** Rows on which an exported model is compared with the trained one, and how often it is run on them. */
const PARITY_RUNS = 2 * 256;

const RECOVERY_BUDGET_MS = 2000;

/** Milliseconds to recover the training rows, where they are recovered: opening a batch and the pace of its steps, on the student's kernel. */
async function recoveryCost(
  { inspect }: Pick<Results, 'inspect'>,
  { input }: Rows,
  context: StageContext,
): Promise<number> {
  const { inversion } = context.spec;
  if (!inversion) return 0;
  const plan = await planInversion(0, inspect.plan, input, context);
  const { open, step } = await stepPace(plan, context, RECOVERY_BUDGET_MS);
  return Math.ceil(inversion.images / inversion.batch) * (open + step * inversion.steps);
}

/**
 * What a job would cost on this machine as it is now.
 *
 * Time: the stages up to `qualify` as they took here (nothing where their results were known). Teachers: their pace on some
 * batches of training rows, times the rows of all views and of validation. Recovering pictures counts as teaching.
 * Training: opening the kernel, the pace of some real steps times all steps, and one validation with its checkpoint times
 * the rounds, for every phase; early stopping is not foreseen. Where a loss compares hidden tensors, the teacher sees every
 * step's rows again. The control makes the steps of the length. All training once per seed; to choose the method, its
 * trials, one of which is the first training, and no control among those of full length. Evaluation and latency from the
 * paces of teacher and student. Compute that others use at this moment is in the paces.
 *
 * Memory: the most this process has held, which has decoded, asked the teacher and trained as the job will, and the
 * teacher's logits that the job holds besides: a second view while views change, two models' scores of the test rows.
 */
export async function estimateCost(
  done: Pick<Results, 'ingest' | 'inspect' | 'decode' | 'qualify' | 'timings'>,
  rows: Rows,
  context: StageContext,
  peakMemory: () => number,
): Promise<CostEstimate> {
  const { spec } = context;
  const { splits } = rows.dataset;
  const { classes } = done.inspect.plan.scores;
  const teacher = await teachingPace(done, rows, context);
  const { train, choose, control: alone, row, write } = await trainingCost(teacher, done, rows, context);

  const views = viewCount(spec, splits.train.length);
  const hasControl = spec.controls && done.qualify.labelled > 0;
  const students = hasControl ? 2 : 1;
  const took = (name: string): number =>
    done.timings.find(({ stage, skipped }) => stage === name && !skipped)?.milliseconds ?? 0;

  const decode = took('decode');
  const shardRows = shardRowsFor(classes);
  const parts = [validationRows(rows.dataset).length, ...new Array<number>(views).fill(splits.train.length)];
  const shards = parts.reduce((sum, count) => sum + Math.ceil(count / shardRows), 0);
  const asking = teacher.row * parts.reduce((sum, count) => sum + count, 0);
  const recover = await recoveryCost(done, rows, context);
  const teach = recover + teacher.open + asking + write * shards;
  const before = took('ingest') + took('inspect') + took('qualify');
  const evaluate = splits.test.length * (teacher.row + spec.seeds * students * row);
  const latency = latencyCost(teacher.own) + students * latencyCost(row);
  const rest = before + evaluate + latency + students * PARITY_RUNS * row;
  const control = hasControl ? spec.seeds * alone : 0;
  // The stage `choose` has made the first.
  const training = (spec.method === 'auto' ? spec.seeds - 1 : spec.seeds) * train;

  const logits = (count: number): number => 4 * classes * count;
  return {
    seconds: {
      decode: decode / 1000,
      teach: teach / 1000,
      choose: choose / 1000,
      control: control / 1000,
      train: training / 1000,
      total: (decode + teach + choose + control + training + rest) / 1000,
    },
    memoryBytes:
      peakMemory() + (views > 1 ? logits(splits.train.length) : 0) + 2 * logits(splits.test.length),
  };
}
