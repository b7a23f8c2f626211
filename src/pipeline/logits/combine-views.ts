import { mapScores } from '../../core/ensemble/class-map.ts';
import { combineScores } from '../../core/ensemble/combine-scores.ts';
import { completeScores } from '../../core/ensemble/complete-scores.ts';
import type { Ensemble } from '../../core/ensemble/ensemble.ts';
import { type FittedWeights, fitWeights } from '../../core/ensemble/fit-weights.ts';
import { RetortError } from '../../errors.ts';
import { cancelled } from '../cancelled.ts';
import type { BlobRef, BlobStore } from '../ports.ts';
import type { EnsembleWeights, Results } from '../results.ts';
import type { StageContext } from '../stage.ts';
import { classMaps } from '../teacher/job-teachers.ts';
import { type LogitsView, loadLogits, shardRowsFor } from './logits-store.ts';
import type { TeachView, TeachWork } from './teach-work.ts';

/**
 * The views of several teachers as those of one. Labels of training rows that may be used are read by `agreement`, those of
 * the validation rows by `learned` weights, and no others. Quick beside the asking, so a stop begins it anew.
 */
export async function combineViews(
  views: readonly LogitsView[],
  work: TeachWork,
  done: Pick<Results, 'qualify' | 'inspect'>,
  { blobs, signal, spec }: Pick<StageContext, 'blobs' | 'signal' | 'spec'>,
): Promise<Results['teach']> {
  const ensemble = spec.ensemble!;
  const { classes } = done.inspect.plan.scores;
  const given = givenWeights(ensemble);
  const count = views.length / given.length;
  const combine = (scores: readonly Float32Array[], weights: readonly number[], labels?: Float32Array) =>
    combineScores(scores, { ...ensemble, weights, given, classes, ...(labels ? { labels } : {}) });
  /** What every teacher says in a view, in the classes of the job. */
  const scoresOf = async (view: number): Promise<readonly Float32Array[]> => {
    if (signal.aborted) throw cancelled('teach');
    const own = given.map((_, teacher) => views[teacher * count + view]!);
    return jobScores(await Promise.all(own.map((each) => loadLogits(blobs, each))), done, ensemble);
  };

  const seen = await scoresOf(0);
  const labels = Int32Array.from(work.views[0]!.rows, (row) => work.rows.dataset.labels[row]!);
  const { weights, ...learned } =
    ensemble.weighting.by === 'learned'
      ? learnedWeights(seen, labels, ensemble, classes)
      : { weights: given };
  const validation = await storeView(combine(seen, weights).logits, classes, blobs);
  const train: LogitsView[] = [];
  let mean: readonly number[] = weights;
  for (let view = 1; view < count; view++) {
    const usable =
      ensemble.weighting.by === 'agreement' ? await labelsOf(work.views[view]!, work) : undefined;
    const { logits, meanWeights } = combine(await scoresOf(view), weights, usable);
    if (view === 1) mean = meanWeights;
    train.push(await storeView(logits, classes, blobs));
  }
  const found: EnsembleWeights = { weights, mean, ...('before' in learned ? { learned } : {}) };
  return { train, validation, weights: found };
}

/** Weights fitted to the labels of the validation rows; DATA_EMPTY where none has one. */
export function learnedWeights(
  scores: readonly Float32Array[],
  labels: Int32Array,
  ensemble: Ensemble,
  classes: number,
): FittedWeights {
  if (labels.some((label) => label >= 0)) {
    return fitWeights(scores, labels, { ...ensemble, given: givenWeights(ensemble), classes });
  }
  throw noLabelsToLearnFrom();
}

export const noLabelsToLearnFrom = (): RetortError =>
  new RetortError('DATA_EMPTY', 'weights are learned on labelled validation rows, and there are none', {
    hint: 'Take "weights": "fixed" or "confidence".',
  });

/** The weights of the spec, adding up to 1, the job's own teacher first. */
export function givenWeights({ weight, others }: Ensemble): readonly number[] {
  const all = [weight, ...others.map((other) => other.weight)];
  const total = all.reduce((sum, each) => sum + each, 0);
  return all.map((each) => each / total);
}

/** Logits of all teachers on some rows, each in its own outputs, as whole scores in the classes of the job. */
export function jobScores(
  logits: readonly Float32Array[],
  { qualify, inspect: { others = [], plan } }: Pick<Results, 'qualify' | 'inspect'>,
  ensemble: Ensemble,
): readonly Float32Array[] {
  const maps = classMaps(qualify);
  const mapped = logits.map((own, i) => {
    const map = maps[i];
    return map ? mapScores(own, others[i - 1]!.plan.scores.classes, map) : own;
  });
  return completeScores(mapped, maps, givenWeights(ensemble), plan.scores.classes);
}

/** Labels of training rows as the student sees them in an epoch; zero where one may not be used. */
async function labelsOf({ rows, epoch }: TeachView, work: TeachWork): Promise<Float32Array> {
  return (await work.rows.labels.assemble(rows, epoch)).labels;
}

async function storeView(logits: Float32Array, classes: number, blobs: BlobStore): Promise<LogitsView> {
  const rows = logits.length / classes;
  const shardRows = shardRowsFor(classes);
  const shards: BlobRef[] = [];
  for (let from = 0; from < rows; from += shardRows) {
    const part = logits.slice(from * classes, (from + shardRows) * classes);
    shards.push(await blobs.put(new Uint8Array(part.buffer)));
  }
  return { rows, classes, shardRows, shards };
}
