import { decodeModel } from '../core/onnx/decode.ts';
import type { Model } from '../core/onnx/model.ts';
import { buildStudent } from './build-student.ts';
import { loadLogits } from './logits-store.ts';
import { type OpenFeatures, openFeatures } from './open-features.ts';
import { openRows, type Rows } from './open-rows.ts';
import { planTraining } from './plan-training.ts';
import type { Results } from './results.ts';
import type { StageContext } from './stage.ts';
import type { StudentRun } from './student-run.ts';
import { type Trained, trainingRun } from './training-run.ts';
import { validateStudent } from './validate-student.ts';
import { validationRows } from './validation-rows.ts';

/** The untrained student of a job: what both runs start from. */
export async function studentOf(
  done: Pick<Results, 'ingest' | 'inspect' | 'qualify'>,
  { spec, blobs }: Pick<StageContext, 'spec' | 'blobs'>,
  rows: Rows,
): Promise<Model> {
  const models = new Map<string, Model>();
  if (spec.student.kind === 'model') {
    for (const { name, hash } of done.ingest.companions) {
      if (name === spec.student.file) models.set(name, decodeModel(await blobs.get(hash)));
    }
  }
  return buildStudent({
    models,
    choice: spec.student,
    dims: rows.input.dims,
    layout: rows.input.layout,
    classes: done.inspect.plan.scores.classes,
    statistics: done.qualify.inputStatistics,
    seed: spec.seed,
  });
}

/** Trains the student on an objective; the control is the same run on another objective. */
export async function trainStudent(run: StudentRun, done: Results, context: StageContext): Promise<Trained> {
  const rows = await openRows(done, context);
  let features: OpenFeatures | undefined;
  try {
    const student = await studentOf(done, context, rows);
    features = await openFeatures(run.terms, { student, rows }, done, context);
    const plan = planTraining(
      { ...run, student, rows, teacher: teacherLogits(done, context), ...(features ? { features } : {}) },
      done,
      context,
    );
    const set = {
      student,
      rows,
      seen: validationRows(rows.dataset),
      teacherLogits: await loadLogits(context.blobs, done.teach.validation),
    };
    return await trainingRun(
      { ...plan, validate: (snapshot) => validateStudent(snapshot, set, done, context) },
      context,
    );
  } finally {
    await features?.close();
    await rows.dataset.close();
  }
}

/** Logits of the training rows by epoch; one view of them is held at a time. */
function teacherLogits(
  { teach }: Results,
  { blobs }: StageContext,
): (epoch: number) => Promise<Float32Array> {
  const views = teach.train;
  let loaded: { readonly index: number; readonly logits: Promise<Float32Array> } | undefined;
  return (epoch) => {
    const index = Math.min(epoch, views.length - 1);
    if (loaded?.index !== index) loaded = { index, logits: loadLogits(blobs, views[index]!) };
    return loaded.logits;
  };
}
