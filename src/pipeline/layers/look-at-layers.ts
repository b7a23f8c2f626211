import type { NDArray } from '../../core/ndarray.ts';
import { decodeModel } from '../../core/onnx/decode.ts';
import type { TypedArray } from '../../core/onnx/dtype.ts';
import { encodeModel } from '../../core/onnx/encode.ts';
import { inferShapes } from '../../core/onnx/infer-shapes.ts';
import { type LayerEnd, layerEnds } from '../../core/onnx/layer-ends.ts';
import type { Model } from '../../core/onnx/model.ts';
import { inferenceMode } from '../../core/onnx/passes/inference-mode.ts';
import { applyPass } from '../../core/onnx/passes/pass.ts';
import { sizeOf } from '../../core/onnx/tensor.ts';
import { withOutputs } from '../../core/onnx/with-outputs.ts';
import { cancelled } from '../cancelled.ts';
import { RowSession } from '../logits/row-session.ts';
import { spread } from '../logits/score-rows.ts';
import type { Device } from '../ports.ts';
import type { Results } from '../results.ts';
import type { StageContext } from '../stage.ts';
import { STUDENT_INPUT, STUDENT_LOGITS } from '../student/student-names.ts';
import { constantDims } from '../teacher/constant-tensor.ts';
import type { TeacherPlan } from '../teacher/teacher-plan.ts';
import type { Rows } from '../training/open-rows.ts';

/** What the layers of both networks make of the same rows. */
export interface Layers {
  readonly student: ReadonlyMap<LayerEnd, Float32Array>;
  readonly teacher: ReadonlyMap<LayerEnd, Float32Array>;
  readonly rows: number;
}

/** Rows looked at: enough to tell layers apart, and no more than memory has room for. */
const MOST_ROWS = 64;
const LEAST_ROWS = 8;
const BYTES = 256 * 2 ** 20;
/** Rows of a run. */
const BATCH = 8;

/** Runs the teacher and the untrained student on training rows, and keeps what their layers end with. */
export async function lookAtLayers(
  { student, rows }: { readonly student: Model; readonly rows: Rows },
  { inspect: { plan } }: Pick<Results, 'inspect'>,
  context: Pick<StageContext, 'blobs' | 'runtime' | 'spec' | 'signal'>,
): Promise<Layers> {
  const { dims } = rows.input;
  const ours: TeacherPlan = { ...plan, ...fedPixels(dims) };
  const sides = [
    {
      model: applyPass(inferenceMode, student, {}),
      plan: ours,
      output: STUDENT_LOGITS,
      device: context.spec.train.device,
    },
    {
      model: decodeModel(await context.blobs.get(plan.model.hash)),
      plan,
      output: plan.scores.name,
      device: context.spec.train.teacherDevice,
    },
  ].map((side) => ({ ...side, ends: endsOf(side.model, side.plan, side.output, dims) }));
  const bytes = sides.flatMap(({ ends }) => ends).reduce((sum, end) => sum + 4 * sizeOf(end.dims), 0);
  const limit = Math.max(LEAST_ROWS, Math.min(MOST_ROWS, Math.floor(BYTES / Math.max(1, bytes))));
  const seen = spread(rows.dataset.splits.train, limit);
  const { inputs } = await rows.plain.assemble(seen, 0);
  const pixels = inputs[plan.input.name]!;
  const [studentSide, teacherSide] = sides as [(typeof sides)[number], (typeof sides)[number]];
  return {
    student: await valuesOf(studentSide, pixels, context),
    teacher: await valuesOf(teacherSide, pixels, context),
    rows: seen.length,
  };
}

/** Where the layers of an untrained student end. */
export const studentEnds = (student: Model, dims: readonly number[]): LayerEnd[] =>
  endsOf(applyPass(inferenceMode, student, {}), fedPixels(dims), STUDENT_LOGITS, dims);

/** How a student is fed: any number of rows, and nothing besides. */
const fedPixels = (dims: readonly number[]): Feeding => ({
  batch: null,
  input: { name: STUDENT_INPUT, dtype: 'float32', shape: dims },
  constants: [],
});

type Feeding = Pick<TeacherPlan, 'batch' | 'input' | 'constants'>;

function endsOf(model: Model, plan: Feeding, output: string, dims: readonly number[]): LayerEnd[] {
  const rows = plan.batch ?? BATCH;
  const shape = [rows, ...dims];
  const constants = plan.constants.map((each) => [each.name, constantDims(each, shape)] as const);
  const shapes = { [plan.input.name]: shape, ...Object.fromEntries(constants) };
  return layerEnds(model, output, inferShapes(model, { shapes }).types, rows);
}

interface Side {
  readonly model: Model;
  readonly plan: TeacherPlan;
  readonly device: Device;
  readonly ends: readonly LayerEnd[];
}

async function valuesOf(
  { model, plan, device, ends }: Side,
  pixels: NDArray,
  { runtime, spec, signal }: Pick<StageContext, 'runtime' | 'spec' | 'signal'>,
): Promise<Map<LayerEnd, Float32Array>> {
  if (ends.length === 0) return new Map();
  const { threads } = spec.train;
  const tapped = withOutputs(
    model,
    ends.map(({ name }) => name),
  );
  const session = new RowSession(await runtime.open(encodeModel(tapped), { device, threads }), plan);
  try {
    const outputs = ends.map(({ name, dims }) => ({ name, size: sizeOf(dims) }));
    const [count, ...dims] = pixels.dims as [number, ...number[]];
    const values = outputs.map(({ size }) => new Float32Array(count * size));
    for (let from = 0; from < count; from += BATCH) {
      if (signal.aborted) throw cancelled('match');
      const part = Math.min(BATCH, count - from);
      const size = sizeOf(dims);
      const data = (pixels.data as TypedArray).subarray(from * size, (from + part) * size) as TypedArray;
      const made = await session.run({ dtype: pixels.dtype, dims: [part, ...dims], data }, outputs);
      made.forEach((each, i) => void values[i]!.set(each, from * outputs[i]!.size));
    }
    return new Map(ends.map((end, i) => [end, values[i]!]));
  } finally {
    await session.close();
  }
}
