import { decodeModel } from '../../core/onnx/decode.ts';
import { inferShapes } from '../../core/onnx/infer-shapes.ts';
import type { Model } from '../../core/onnx/model.ts';
import { withOutputs } from '../../core/onnx/with-outputs.ts';
import type { ObjectiveTerm } from '../../core/program/build-program.ts';
import type { TeacherTap } from '../../core/program/feature-inputs.ts';
import { rowDims } from '../../core/program/row-dims.ts';
import type { BlobStore } from '../ports.ts';
import { studentTensor } from '../student/student-tensor.ts';
import { constantDims } from '../teacher/constant-tensor.ts';
import type { TeacherPlan } from '../teacher/teacher-plan.ts';
import { refuseUnknownTensor } from './refuse-unknown-tensor.ts';

/** What the terms of an objective compare, settled on both graphs. */
export interface FeaturePlan {
  /** The terms with the names that the student's training graph has. */
  readonly terms: readonly ObjectiveTerm[];
  /** What of the teacher they read, each once. */
  readonly taps: readonly TeacherTap[];
  /** The teacher with the taps as outputs. */
  readonly model: Model;
}

interface Sides {
  readonly student: Model;
  /** One row as the teacher takes it. */
  readonly dims: readonly number[];
  readonly plan: TeacherPlan;
  readonly blobs: BlobStore;
}

/** Finds the tensors that terms name in teacher and student; SPEC_INVALID names what is not there and what is near. */
export async function planFeatures(
  terms: readonly ObjectiveTerm[],
  { student, dims, plan, blobs }: Sides,
): Promise<FeaturePlan | undefined> {
  const names = [...new Set(terms.flatMap(({ from = [] }) => from))];
  if (names.length === 0) return undefined;
  const teacher = decodeModel(await blobs.get(plan.model.hash));
  const made = new Set(teacher.graph.nodes.flatMap((node) => node.outputs));
  for (const name of names) if (!made.has(name)) refuseUnknownTensor('teacher', name, teacher);
  const model = withOutputs(teacher, names);
  const shapes = rowShapes(teacher, plan, dims);
  return {
    terms: terms.map((term) =>
      term.to && term.to !== 'auto'
        ? { ...term, to: term.to.map((name) => studentTensor(student, name)) }
        : term,
    ),
    taps: names.map((name) => ({ name, dims: shapes(name) })),
    model,
  };
}

/** Two, where the teacher takes batches of any size. */
const BATCHES = [5, 7] as const;

/** Dimensions of a tensor for one row, by name; SPEC_INVALID where the rows do not come first or a size is open. */
function rowShapes(
  model: Model,
  { batch, input, constants }: Pick<TeacherPlan, 'batch' | 'input' | 'constants'>,
  dims: readonly number[],
): (name: string) => readonly number[] {
  const batches = batch === null ? BATCHES : ([batch] as const);
  const found = batches.map((rows) => {
    const shape = [rows, ...dims];
    const fixed = constants.map((each) => [each.name, constantDims(each, shape)] as const);
    const shapes = { [input.name]: shape, ...Object.fromEntries(fixed) };
    return { rows, types: inferShapes(model, { shapes }).types };
  });
  return (name) =>
    rowDims(
      `the teacher's tensor "${name}"`,
      found.map(({ rows, types }) => ({ rows, type: types.get(name) })),
      { dtype: 'floats', hint: 'Choose a float tensor [N, ...] whose dimensions are known.' },
    );
}
