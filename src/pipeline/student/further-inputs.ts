import type { DType } from '../../core/onnx/dtype.ts';
import type { Shape, ValueInfo } from '../../core/onnx/model.ts';
import type { Tensor } from '../../core/onnx/tensor.ts';
import { RetortError } from '../../errors.ts';
import { alongRows, constantDims, constantTensor } from '../teacher/constant-tensor.ts';
import type { TeacherPlan } from '../teacher/teacher-plan.ts';

export type TeacherFeeding = Pick<TeacherPlan, 'input' | 'constants'>;

/** An input besides the rows, which gets what the teacher's of that name is given. */
export interface FurtherInput {
  readonly name: string;
  /** Broadcasts to `shape`. */
  readonly values: Tensor;
  /** 'N' stands for the batch. */
  readonly shape: Shape;
}

/** Which of a student's inputs takes the rows: its only one, the teacher's by name, or the one no constant is for. */
export function rowsInput(
  inputs: readonly ValueInfo[],
  { input, constants }: TeacherFeeding,
): ValueInfo | undefined {
  if (inputs.length === 1) return inputs[0];
  const named = inputs.find(({ name }) => name === input.name);
  return named ?? inputs.find(({ name }) => constants.every((constant) => constant.name !== name));
}

/**
 * What the student's other inputs get in training, by the names of the teacher's. An open first dimension is the batch;
 * one that its rows [N, ...dims] have, too, is as long as theirs; others are as the teacher's. STUDENT_UNFIT names an input
 * for which the teacher gets nothing, or something else.
 */
export function furtherInputs(
  inputs: readonly ValueInfo[],
  rows: ValueInfo,
  dims: readonly number[],
  { constants }: TeacherFeeding,
): FurtherInput[] {
  const batch = ['N', ...dims];
  return inputs
    .filter(({ name }) => name !== rows.name)
    .map(({ name, dtype, shape = [] }) => {
      const constant = constants.find((each) => each.name === name);
      if (!constant) throw unfed(name);
      const given = constantDims(constant, batch);
      const wanted = shape.map((dim, i) =>
        typeof dim === 'number' ? dim : (batch[alongRows(dim, i, rows)] ?? given[i] ?? dim),
      );
      if (dtype !== constant.dtype || !expands(given, wanted)) {
        throw misfit(name, shown(dtype, wanted), shown(constant.dtype, given));
      }
      return { name, values: constantTensor(constant, [1, ...dims]), shape: wanted };
    });
}

const expands = (given: Shape, wanted: Shape): boolean =>
  given.length === wanted.length && given.every((dim, i) => dim === 1 || dim === wanted[i]);

const shown = (dtype: DType | undefined, dims: Shape): string => `${dtype} [${dims.join(', ')}]`;

const unfed = (name: string): RetortError =>
  new RetortError(
    'STUDENT_UNFIT',
    `the uploaded student has a further input "${name}", and the teacher's of that name gets no constant`,
    {
      hint: `Give the teacher's a constant in the spec (inputs: {"${name}": {"constant": [1]}}), or export the student without it.`,
    },
  );

const misfit = (name: string, wanted: string, given: string): RetortError =>
  new RetortError(
    'STUDENT_UNFIT',
    `the uploaded student takes "${name}" as ${wanted}, the teacher's of that name gets ${given}`,
    { hint: `Export the student with "${name}" as the teacher takes it, or without it.` },
  );
