import { decodeModel } from '../../core/onnx/decode.ts';
import { encodeModel } from '../../core/onnx/encode.ts';
import { resolveExternalData } from '../../core/onnx/external-data.ts';
import type { Model } from '../../core/onnx/model.ts';
import { inferenceMode } from '../../core/onnx/passes/inference-mode.ts';
import { applyPass } from '../../core/onnx/passes/pass.ts';
import { SHORTER_STEPS } from '../../core/program/refuse-divergence.ts';
import { decodeSnapshot } from '../../core/program/safetensors.ts';
import { RetortError } from '../../errors.ts';
import { scoreRows, spread } from '../logits/score-rows.ts';
import { modelCard } from '../report/model-card.ts';
import type { Exported, Results, Trained } from '../results.ts';
import type { Stage, StageContext } from '../stage.ts';
import { storedFiles } from '../stored-files.ts';
import { shipStudent } from '../student/ship-student.ts';
import { STUDENT_INPUT } from '../student/student-names.ts';
import { studentScorer } from '../student/student-scorer.ts';
import { withSnapshot } from '../student/trained-model.ts';
import type { TeacherPlan } from '../teacher/teacher-plan.ts';
import { controlOf } from '../training/control-of.ts';
import { openRows, type Rows } from '../training/open-rows.ts';
import { openRowsKey, trainKey } from '../training/train-key.ts';
import { studentOf } from '../training/train-student.ts';

const PARITY_ROWS = 256;

/** The trained numbers in a graph that takes the teacher's place, proved equal to the one that was trained. */
export const exportModels: Stage<'export'> = {
  name: 'export',
  summary: 'exports the student',
  version: 1,
  key: (done, { spec }) => ({
    ...openRowsKey(done, spec),
    ...trainKey(spec),
    teacher: done.ingest.teacher.hash,
    snapshots: [done.train.snapshot, controlOf(done)?.snapshot],
    tolerance: spec.export.tolerance,
  }),
  async run(done, context) {
    const rows = await openRows(done, context);
    try {
      const files = await storedFiles(done.ingest.companions, context.blobs);
      const teacher = resolveExternalData(
        decodeModel(await context.blobs.get(done.ingest.teacher.hash)),
        files,
      );
      const control = controlOf(done);
      return {
        student: await exportOne('student', done.train, teacher, rows, done, context),
        control: control && (await exportOne('control', control, teacher, rows, done, context)),
      };
    } finally {
      await rows.dataset.close();
    }
  },
};

/** The last step may leave numbers that no loss has been computed of. */
function refuseDivergedStudent(role: string, logits: Float32Array): void {
  if (logits.every(Number.isFinite)) return;
  throw new RetortError(
    'TRAIN_DIVERGED',
    `the ${role} that was trained gives class scores that are infinite or not a number`,
    { hint: SHORTER_STEPS },
  );
}

async function exportOne(
  role: string,
  { snapshot }: Trained,
  teacher: Model,
  rows: Rows,
  done: Results,
  context: StageContext,
): Promise<Exported> {
  const { blobs, spec } = context;
  const { plan } = done.inspect;
  const average = spec.train.ema !== undefined;
  const state = decodeSnapshot(await blobs.get(snapshot.hash));
  const trained = withSnapshot(await studentOf(done, context, rows), state, average);
  const { model, tapped } = shipStudent(trained, teacher, plan);
  const bytes = encodeModel(model);
  const tappedBytes = encodeModel(tapped);

  const seen = spread(rows.dataset.splits.train, PARITY_ROWS);
  const unfolded = encodeModel(applyPass(inferenceMode, trained, {}));
  const before = await score(unfolded, { ...plan.input, name: STUDENT_INPUT, dtype: 'float32' }, seen);
  refuseDivergedStudent(role, before);
  const after = await score(tappedBytes, plan.input, seen);
  await (await context.runtime.open(bytes, { device: 'cpu', threads: spec.train.threads })).close();
  const scale = before.reduce((top, value) => Math.max(top, Math.abs(value)), 0);
  const difference = before.reduce((top, value, i) => Math.max(top, Math.abs(value - after[i]!)), 0);
  // Written this way round so that a difference of NaN fails.
  if (!(difference <= spec.export.tolerance * Math.max(1, scale))) {
    throw new RetortError(
      'EXPORT_FAILED',
      `logits of the exported ${role} differ from the trained one's by up to ${difference} (largest logit ${scale})`,
      { facts: { difference, scale, tolerance: spec.export.tolerance } },
    );
  }
  return {
    model: await blobs.put(bytes),
    tapped: await blobs.put(tappedBytes),
    card: modelCard(model, bytes.byteLength),
    parity: { difference, scale, rows: seen.length },
  };

  async function score(
    bytes: Uint8Array,
    input: TeacherPlan['input'],
    seen: Uint32Array,
  ): Promise<Float32Array> {
    const session = await context.runtime.open(bytes, { device: 'cpu', threads: spec.train.threads });
    const scorer = studentScorer(session, plan, input);
    try {
      return await scoreRows(scorer, rows.plain, seen, {
        input: plan.input.name,
        classes: plan.scores.classes,
      });
    } finally {
      await scorer.close();
    }
  }
}
