import { combineScores } from '../../core/ensemble/combine-scores.ts';
import type { Ensemble } from '../../core/ensemble/ensemble.ts';
import { cancelled } from '../cancelled.ts';
import { givenWeights, jobScores, learnedWeights } from '../logits/combine-views.ts';
import { loadLogits } from '../logits/logits-store.ts';
import { makeShards } from '../logits/make-shards.ts';
import { scoreRows } from '../logits/score-rows.ts';
import { shardName } from '../logits/teach-shards.ts';
import { openTeachWork } from '../logits/teach-work.ts';
import type { Results } from '../results.ts';
import type { StageContext } from '../stage.ts';
import { type JobTeacher, jobTeachers } from '../teacher/job-teachers.ts';
import { openTeacher } from '../teacher/open-teacher.ts';
import { teacherBatch } from '../teacher/teacher-batch.ts';
import { openOtherRows, type Rows } from '../training/open-rows.ts';

type Done = Pick<Results, 'inspect' | 'decode' | 'qualify'>;

/** What the student learns from, the teacher or the mean of several, on a few training rows as they are: [rows, classes]. */
export async function firstLogits(
  seen: Uint32Array,
  rows: Rows,
  done: Done,
  context: StageContext,
): Promise<Float32Array> {
  const logits: Float32Array[] = [];
  for (const [position, teacher] of jobTeachers(done, context.spec).entries()) {
    if (position === 0) logits.push(await askFor(seen, rows, teacher, position, context));
    else {
      const own = await openOtherRows(teacher, rows, done, context);
      logits.push(await askFor(seen, own, teacher, position, context).finally(() => own.close()));
    }
  }
  const { ensemble } = context.spec;
  if (!ensemble) return logits[0]!;
  const { classes } = done.inspect.plan.scores;
  const given = givenWeights(ensemble);
  const weights = ensemble.weighting.by === 'learned' ? await learned(ensemble, done, context) : given;
  const labels = labelsOf(seen, rows, classes);
  return combineScores(jobScores(logits, done, ensemble), { ...ensemble, weights, given, classes, labels })
    .logits;
}

async function askFor(
  seen: Uint32Array,
  { plain }: Rows,
  { plan }: JobTeacher,
  position: number,
  context: StageContext,
): Promise<Float32Array> {
  const teacher = await openTeacher(plan, context);
  const batch = teacherBatch(context.spec, position);
  const onRows = (): void => {
    if (context.signal.aborted) throw cancelled('match');
  };
  const asked = { input: plan.input.name, classes: plan.scores.classes, batch, onRows };
  return scoreRows(teacher, plain, seen, asked).finally(() => teacher.close());
}

/** The weights that the teach stage will learn. The validation rows are asked for here, and kept for it. */
async function learned(ensemble: Ensemble, done: Done, context: StageContext): Promise<readonly number[]> {
  const { blobs, clock, signal, progress } = context;
  const work = await openTeachWork({ ...done, recover: null }, context);
  try {
    const perTeacher = work.views.length / (1 + ensemble.others.length);
    const views = work.views.filter((_, view) => view % perTeacher === 0);
    const wanted = work.shards.filter(({ view }) => view % perTeacher === 0);
    const made = await makeShards(work, wanted, { clock, signal, progress });
    const logits = views.map(({ teacher, rows, classes, shardRows }) => {
      const own = wanted.filter(({ view }) => view === teacher * perTeacher);
      const shards = own.map((shard) => made.get(shardName(shard))!);
      return loadLogits(blobs, { rows: rows.length, classes, shardRows, shards });
    });
    const scores = jobScores(await Promise.all(logits), done, ensemble);
    const labels = Int32Array.from(views[0]!.rows, (row) => work.rows.dataset.labels[row]!);
    return learnedWeights(scores, labels, ensemble, done.inspect.plan.scores.classes).weights;
  } finally {
    await work.close();
  }
}

/** One-hot where a label may be used, zero elsewhere. */
function labelsOf(seen: Uint32Array, { dataset }: Rows, classes: number): Float32Array {
  const labels = new Float32Array(seen.length * classes);
  for (const [i, row] of seen.entries()) {
    const label = dataset.labels[row]!;
    if (dataset.labelled[row] && label >= 0) labels[i * classes + label] = 1;
  }
  return labels;
}
