import Type from 'typebox';
import { invariant } from '../../errors.ts';
import type { GraphBuilder } from '../onnx/builder.ts';
import { temperatureRange } from '../temperature-range.ts';
import { divergence } from './divergence.ts';
import { kl } from './kl.ts';
import type { Loss } from './loss.ts';
import { batchMean, timesSquared } from './means.ts';
import {
  logSoftened,
  logSoftmaxRow,
  refusesStandardizedPairs,
  softenedRow,
  standardizeOption,
} from './softened.ts';

const options = Type.Object(
  {
    temperatures: Type.Array(Type.Number(temperatureRange), {
      default: [2, 3, 4, 5, 6],
      minItems: 1,
      maxItems: 16,
      description: 'temperatures whose mean is taken',
    }),
    instance: Type.Number({ default: 1, minimum: 0, description: 'weight of the divergence of each row' }),
    batch: Type.Number({ default: 64, minimum: 0, description: 'weight of the relations among rows' }),
    class: Type.Number({ default: 41, minimum: 0, description: 'weight of the relations among classes' }),
    standardize: standardizeOption,
  },
  { additionalProperties: false },
);

/**
 * Multi-level logit distillation, the mean over several temperatures of three terms. p = softmax(z / T) [B, C]:
 * instance: `kl` at T; batch: 1 / B^2 * ||P_s P_s' - P_t P_t'||^2, [B, B]; class: 1 / B^2 * ||P_s' P_s - P_t' P_t||^2,
 * [C, C] (squared Frobenius norms; ' transposes). The relations have no T^2, in the paper neither.
 *
 * Ours differs from the published code. That divides the relations by B and by C, so their weight grows with the batch:
 * they are B and B^2 / C times ours, which is where 64 and 41 come from (B 64, C 100). It adds the temperatures up
 * where we take the mean, so its weights (0.9; 9 with standardisation) are 5 times as much here. It learns a weak and a
 * strong view at once, multiplies terms that are means already by a mask, which makes it a constant near 0.5, and takes
 * the weak view for the strong one at T 2 and 6: none of that is here. Standardised, our relations are so too, its are
 * not.
 */
export const multiLevel: Loss<typeof options> = {
  name: 'multi-level',
  summary: 'divergence, relations among rows and relations among classes, at several temperatures',
  citation: 'Jin, Wang, Lin, "Multi-Level Logit Distillation", CVPR 2023',
  formula:
    "mean over T of (instance kl + batch / B^2 ||P P' - P_t P_t'||^2 + class / B^2 ||P' P - P_t' P_t||^2)",
  needs: ['teacher-logits'],
  publishedWeight: ({ temperatures, standardize }) => (standardize ? 9 : 0.9) * temperatures.length,
  options,
  refusesPairs: refusesStandardizedPairs,
  build(context, { temperatures, standardize, ...weights }) {
    const { b } = context;
    invariant(context.teacherLogits, 'multi-level needs teacher logits');
    const levels = temperatures.flatMap((temperature) => {
      const { student, teacher, ...at } = logSoftened(
        { ...context, temperature: b.constant(temperature) },
        standardize,
      );
      const instance = timesSquared(b, batchMean(b, divergence(b, teacher, student)), at.temperature);
      const [ps, pt] = [b.op('Exp', [student]), b.op('Exp', [teacher])];
      return [
        b.op('Mul', [instance, b.constant(weights.instance)]),
        b.op('Mul', [relations(b, ps, pt, 'rows'), b.constant(weights.batch)]),
        b.op('Mul', [relations(b, ps, pt, 'columns'), b.constant(weights.class)]),
      ];
    });
    const sum = levels.reduce((total, level) => b.op('Add', [total, level]));
    return b.op('Div', [sum, b.constant(temperatures.length)]);
  },
  reference(numbers, { temperatures, standardize, ...weights }) {
    const values = temperatures.map((temperature) => {
      const p = (rows: readonly (readonly number[])[]) =>
        rows.map((row) => logSoftmaxRow(softenedRow(row, temperature, standardize)).map(Math.exp));
      const [ps, pt] = [p(numbers.studentLogits), p(numbers.teacherLogits)];
      const batch = squaredDistance(gram(ps), gram(pt)) / ps.length ** 2;
      const classes = squaredDistance(gram(transposed(ps)), gram(transposed(pt))) / ps.length ** 2;
      const instance = kl.reference({ ...numbers, temperature }, { standardize });
      return weights.instance * instance + weights.batch * batch + weights.class * classes;
    });
    return values.reduce((sum, value) => sum + value, 0) / values.length;
  },
};

/** 1 / B^2 times the squared distance of the Gram matrices of the rows or of the columns. */
function relations(b: GraphBuilder, student: string, teacher: string, among: 'rows' | 'columns'): string {
  const [batch] = b.dims(student) as [number];
  const matrix = (p: string) => {
    const turned = b.op('Transpose', [p], { perm: [1, 0] });
    return b.op('MatMul', among === 'rows' ? [p, turned] : [turned, p]);
  };
  const difference = b.op('Sub', [matrix(student), matrix(teacher)]);
  const total = b.op('ReduceSum', [b.op('Mul', [difference, difference])], { keepdims: 0 });
  return b.op('Div', [total, b.constant(batch * batch)]);
}

const transposed = (rows: number[][]): number[][] => rows[0]!.map((_, c) => rows.map((row) => row[c]!));

const gram = (rows: number[][]): number[][] =>
  rows.map((a) => rows.map((b) => a.reduce((sum, v, i) => sum + v * b[i]!, 0)));

const squaredDistance = (a: number[][], b: number[][]): number =>
  a.reduce((sum, row, i) => sum + row.reduce((rowSum, v, j) => rowSum + (v - b[i]![j]!) ** 2, 0), 0);
