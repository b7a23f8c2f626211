import Type from 'typebox';
import { invariant } from '../../errors.ts';
import type { Loss } from './loss.ts';
import { meanOfRows } from './means.ts';
import { pearson, pearsonOf } from './pearson.ts';
import { logSoftmaxRow, softened, softenedRow } from './softened.ts';

const options = Type.Object(
  {
    inter: Type.Number({
      default: 1,
      minimum: 0,
      description: 'weight of the rows: relations among classes',
    }),
    intra: Type.Number({
      default: 1,
      minimum: 0,
      description: 'weight of the columns: relations within a class',
    }),
  },
  { additionalProperties: false },
);

/**
 * Correlation instead of divergence. p = softmax(z / T) [B, C]:
 * L = inter (1 - mean over b of r(p_s[b, :], p_t[b, :])) + intra (1 - mean over c of r(p_s[:, c], p_t[:, c])), r
 * Pearson's. The rows' term lies in [0, 2] whatever B is; the columns' needs a batch: with B = 1 they are constant and
 * r is 0.
 *
 * No T^2: r ignores scale, so its gradient does not fade as T grows (for T to infinity r(p) is r(z)). The paper has
 * none either; torchdistill, mmrazor and the authors' classification code multiply by it. Published: T 1, weight 2 of
 * the whole.
 */
export const dist: Loss<typeof options> = {
  name: 'dist',
  summary: "Pearson correlation with the teacher's probabilities, per row and per class",
  citation: 'Huang et al., "Knowledge Distillation from A Stronger Teacher", NeurIPS 2022, arXiv 2205.10536',
  formula: 'inter (1 - mean r of rows) + intra (1 - mean r of columns)',
  publishedWeight: () => 2,
  needs: ['teacher-logits'],
  options,
  temperature: 1,
  refusesPairs: ({ inter }) =>
    inter > 0 ? 'correlates rows, which with two classes leaves only their order' : undefined,
  build({ b, studentLogits, teacherLogits, temperature }, { inter, intra }) {
    invariant(teacherLogits && temperature, 'dist needs teacher logits and a temperature');
    const p = (logits: string) => b.op('Softmax', [softened(b, logits, temperature, false)], { axis: 1 });
    const [student, teacher] = [p(studentLogits), p(teacherLogits)];
    const distance = (axis: 0 | 1, weight: number) => {
      const mean = b.op('ReduceMean', [pearson(b, student, teacher, axis)], { keepdims: 0 });
      return b.op('Mul', [b.op('Sub', [b.constant(1), mean]), b.constant(weight)]);
    };
    return b.op('Add', [distance(1, inter), distance(0, intra)]);
  },
  reference(numbers, { inter, intra }) {
    const p = (row: readonly number[]) =>
      logSoftmaxRow(softenedRow(row, numbers.temperature, false)).map(Math.exp);
    const rows = meanOfRows(numbers, (student, teacher) => pearsonOf(p(student), p(teacher)));
    const [student, teacher] = [numbers.studentLogits.map(p), numbers.teacherLogits.map(p)];
    const column = (values: number[][], c: number) => values.map((row) => row[c]!);
    const columns = student[0]!.map((_, c) => pearsonOf(column(student, c), column(teacher, c)));
    return inter * (1 - rows) + intra * (1 - columns.reduce((sum, r) => sum + r, 0) / columns.length);
  },
};
