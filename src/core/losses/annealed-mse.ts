import Type from 'typebox';
import { invariant } from '../../errors.ts';
import type { Loss } from './loss.ts';
import { batchMean, meanOfRows } from './means.ts';

const options = Type.Object(
  {
    maxTemperature: Type.Number({
      default: 10,
      minimum: 1,
      description: 'temperature at which the targets are smallest; they are whole at 1',
    }),
    margin: Type.Number({
      default: 0,
      minimum: 0,
      description: 'mean squared difference that is forgiven, times phi',
    }),
  },
  { additionalProperties: false },
);

/**
 * Regression on annealed teacher logits: L = 1 / B * sum_b max(0, 1 / C * sum_c (z_s - phi z_t)^2 - m phi),
 * phi = 1 - (min(T, T_max) - 1) / T_max. The temperature T is meant to fall from T_max to 1 during a phase, so that the
 * targets grow from z_t / T_max to z_t. Annealing-KD has m = 0; Continuation-KD forgives what lies within the margin. Ours is the
 * mean over classes, as in the code of Annealing-KD, where the papers write the squared norm: weight and margin then mean the
 * same for any C.
 */
export const annealedMse: Loss<typeof options> = {
  name: 'annealed-mse',
  summary: 'mean squared difference of student logits and annealed teacher logits, beyond a margin',
  citation:
    'Jafari et al., "Annealing Knowledge Distillation", EACL 2021, arXiv 2104.07163; "Continuation KD", EMNLP 2022, arXiv 2212.05998',
  formula: '1 / B * sum max(0, 1 / C * sum (z_s - phi z_t)^2 - m phi), phi = 1 - (T - 1) / T_max',
  needs: ['teacher-logits'],
  options,
  temperature: 1,
  build({ b, studentLogits, teacherLogits, temperature }, { maxTemperature, margin }) {
    invariant(teacherLogits && temperature, 'annealed-mse needs teacher logits and a temperature');
    const top = b.constant(maxTemperature);
    const fallen = b.op('Div', [b.op('Sub', [b.op('Min', [temperature, top]), b.constant(1)]), top]);
    const phi = b.op('Sub', [b.constant(1), fallen]);
    const difference = b.op('Sub', [studentLogits, b.op('Mul', [teacherLogits, phi])]);
    const squares = b.op('ReduceMean', [b.op('Mul', [difference, difference]), b.ints([1])]);
    if (margin === 0) return batchMean(b, squares);
    const beyond = b.op('Sub', [squares, b.op('Mul', [phi, b.constant(margin)])]);
    return batchMean(b, b.op('Relu', [beyond]));
  },
  reference(numbers, { maxTemperature, margin }) {
    const phi = 1 - (Math.min(numbers.temperature, maxTemperature) - 1) / maxTemperature;
    return meanOfRows(numbers, (student, teacher) => {
      const squares = student.reduce((sum, z, c) => sum + (z - phi * teacher[c]!) ** 2, 0);
      return Math.max(0, squares / student.length - margin * phi);
    });
  },
};
