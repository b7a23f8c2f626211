import { metrics } from '../../core/metrics/index.ts';
import { decodeSnapshot } from '../../core/program/safetensors.ts';
import { RetortError } from '../../errors.ts';
import { AUTO_SHARE, type Candidate } from '../../spec/auto-candidates.ts';
import { resolvePhases } from '../../spec/resolve-phases.ts';
import type { ResolvedSpec, ResolvedTrain } from '../../spec/resolved-spec.ts';
import { loadLogits } from '../logits/logits-store.ts';
import { scoreRows } from '../logits/score-rows.ts';
import type { BlobRef } from '../ports.ts';
import type { Results, Trained } from '../results.ts';
import type { StageContext } from '../stage.ts';
import { openStudent } from '../student/open-student.ts';
import { withSnapshot } from '../student/trained-model.ts';
import { openRows } from '../training/open-rows.ts';
import { studentOf, trainStudent } from '../training/train-student.ts';
import { trainingSeed } from '../training/training-seed.ts';
import { validationRows } from '../training/validation-rows.ts';

/** What a short training leaves, as JSON: which validation rows it gets right, or why it failed. */
export type TriedCandidate =
  | { readonly hits: BlobRef; readonly measure: 'accuracy' | 'agreement' }
  | { readonly failure: string };

/** The recipe of the short schedules: the whole schedule in fewer steps, to its end, so that nothing is selected. */
function shortRecipe({ earlyStopping: _earlyStopping, ...train }: ResolvedTrain): ResolvedTrain {
  const shorter = (whole: number): number => Math.max(1, Math.ceil(AUTO_SHARE * whole));
  const length =
    'steps' in train.length
      ? { steps: shorter(train.length.steps) }
      : { epochs: shorter(train.length.epochs) };
  return { ...train, length, select: 'last' };
}

/** The spec that a candidate is trained by. */
export function trialSpec({ terms }: Pick<Candidate, 'terms'>, spec: ResolvedSpec): ResolvedSpec {
  const strategy = { name: 'single-stage', options: {} };
  const phases = resolvePhases(strategy, terms, spec.student);
  return { ...spec, strategy, objective: { terms }, phases, train: shortRecipe(spec.train) };
}

/** Trains a candidate on the short schedule and looks at every validation row. */
export async function tryCandidate(
  candidate: Candidate,
  done: Results,
  context: StageContext,
): Promise<TriedCandidate> {
  const within = { ...context, spec: trialSpec(candidate, context.spec) };
  const { phases, seed } = within.spec;
  const isControl = candidate.role === 'control';
  const run = { name: 'choose' as const, phases, isControl, seed: trainingSeed(seed, candidate.seed) };
  try {
    return await validationHits(await trainStudent(run, done, within), done, within);
  } catch (error) {
    // The others may be well; what is wrong with the job itself fails them all.
    if (error instanceof RetortError && error.code === 'TRAIN_DIVERGED') return { failure: error.message };
    throw error;
  }
}

async function validationHits(
  { snapshot }: Trained,
  done: Results,
  context: StageContext,
): Promise<TriedCandidate> {
  const { blobs, spec } = context;
  const { plan } = done.inspect;
  const { classes } = plan.scores;
  const rows = await openRows(done, context);
  try {
    const state = decodeSnapshot(await blobs.get(snapshot.hash));
    const student = withSnapshot(await studentOf(done, context, rows), state, spec.train.ema !== undefined);
    const seen = validationRows(rows.dataset);
    const scorer = await openStudent(student, done, context);
    const logits = await scoreRows(scorer, rows.plain, seen, { input: plan.input.name, classes }).finally(
      () => scorer.close(),
    );
    const labels = Int32Array.from(seen, (row) => rows.dataset.labels[row]!);
    const measure = labels.some((label) => label >= 0) ? 'accuracy' : 'agreement';
    const teacherLogits = await loadLogits(blobs, done.teach.validation);
    const hits: number[] = [];
    for (let row = 0; row < seen.length; row++) {
      const at = <T extends Float32Array>(all: T) => all.subarray(row * classes, (row + 1) * classes);
      const one = { classes, logits: at(logits), labels: labels.subarray(row, row + 1) };
      const hit = metrics[measure].compute({ ...one, teacherLogits: at(teacherLogits) });
      // A row without a label says nothing of accuracy.
      if (hit !== null) hits.push(hit as number);
    }
    return { hits: await blobs.put(Uint8Array.from(hits)), measure };
  } finally {
    await rows.dataset.close();
  }
}
