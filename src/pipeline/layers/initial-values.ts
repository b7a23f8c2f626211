import type { Model } from '../../core/onnx/model.ts';
import { metricName, needsOf, type ObjectiveTerm } from '../../core/program/build-program.ts';
import { objectiveScalars } from '../../core/program/objective-scalars.ts';
import { optimizerScalars } from '../../core/schedules/optimizer-scalars.ts';
import { trainingOrder } from '../../data/order.ts';
import type { ResolvedSpec } from '../../spec/resolved-spec.ts';
import { cancelled } from '../cancelled.ts';
import type { Results } from '../results.ts';
import type { StageContext } from '../stage.ts';
import type { Rows } from '../training/open-rows.ts';
import { placePhases } from '../training/place-phases.ts';
import { planTraining, type TrainingPlan } from '../training/plan-training.ts';
import { runSteps } from '../training/run-steps.ts';
import { firstLogits } from './first-logits.ts';
import { openFeatures } from './open-features.ts';

type Done = Pick<Results, 'inspect' | 'decode' | 'qualify'>;

/** Batches looked at. */
const BATCHES = 4;

/** What each term comes to before training: its mean over the first batches of the run, on pixels that are not augmented. */
export async function initialValues(
  terms: readonly ObjectiveTerm[],
  { student, rows }: { readonly student: Model; readonly rows: Rows },
  done: Done,
  context: StageContext,
): Promise<readonly number[]> {
  const within = { ...context, spec: plainly(context.spec) };
  const features = await openFeatures(terms, { student, rows }, done, within);
  try {
    const [phase] = placePhases(
      [{ name: 'start', terms, share: 1 }],
      within.spec.train,
      rows.dataset.splits.train.length,
    );
    const logits = needsOf(terms).has('teacher-logits')
      ? await ofFirstBatches(rows, done, context)
      : undefined;
    const request = {
      name: 'train' as const,
      isControl: false,
      phase: phase!,
      student,
      rows,
      teacher: async () => logits!,
      ...(features ? { features } : {}),
    };
    const plan = planTraining(request, done, within);
    const metrics = await valuesOf(plan, within.signal);
    return terms.map((_, i) => metrics[metricName(terms, i)]!);
  } finally {
    await features?.close();
  }
}

/** Pixels as they are, on a kernel that is always there where none has been chosen yet. */
function plainly(spec: ResolvedSpec): ResolvedSpec {
  const { kernel } = spec.train;
  const train = { ...spec.train, augment: [], kernel: kernel === 'auto' ? ('onnxruntime' as const) : kernel };
  return { ...spec, train };
}

/** What the student learns from on the rows of the first batches; the other training rows are left at 0. */
async function ofFirstBatches(rows: Rows, done: Done, context: StageContext): Promise<Float32Array> {
  const { train } = rows.dataset.splits;
  const { batchSize } = context.spec.train;
  const first = trainingOrder(train, batchSize, context.spec.seed, 0).slice(0, BATCHES);
  const wanted = new Set(first.flatMap((batch) => [...batch]));
  const positions = [...train.keys()].filter((i) => wanted.has(train[i]!));
  const seen = Uint32Array.from(positions, (i) => train[i]!);
  const made = await firstLogits(seen, rows, done, context);
  const { classes } = done.inspect.plan.scores;
  const all = new Float32Array(train.length * classes);
  positions.forEach((at, i) => {
    all.set(made.subarray(i * classes, (i + 1) * classes), at * classes);
  });
  return all;
}

/** Means of the metrics over the first steps at a learning rate of 0: the student stays as it is. */
async function valuesOf(plan: TrainingPlan, signal: AbortSignal): Promise<Record<string, number>> {
  const { kernel, program, settings, seed, phase, batches } = plan;
  const { device, threads, optimizer, schedule } = settings;
  const steps = Math.min(BATCHES, batches.stepsPerEpoch);
  const trainer = await kernel.open(program, { device, threads, seed });
  const sums: Record<string, number> = {};
  try {
    for (let step = 0; step < steps; step++) {
      if (signal.aborted) throw cancelled('match');
      const length = { totalSteps: phase.steps, stepsPerEpoch: batches.stepsPerEpoch };
      const scalars = {
        ...optimizerScalars(optimizer, schedule, length, step, 1),
        ...objectiveScalars(phase.terms, phase.steps, step, 1),
        learning_rate: new Float32Array(1),
      };
      const feeds = await batches.chunk(step, 1);
      const { metrics } = await runSteps(trainer, { steps: 1, feeds, scalars }, plan.taps);
      for (const [name, [value]] of Object.entries(metrics)) sums[name] = (sums[name] ?? 0) + value! / steps;
    }
    return sums;
  } finally {
    await trainer.close();
  }
}
