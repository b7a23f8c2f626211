import Type from 'typebox';
import type { Loss } from './loss.ts';
import { squaredDifference, squaredDifferenceOf } from './squared-difference.ts';

const options = Type.Object({}, { additionalProperties: false });

/**
 * Hints: L = 1 / P * sum_p 1 / |F_t| * sum (F_s - F_t)^2 over P pairs; |F_t| counts all elements, the batch among them.
 * F_s is the student's tensor at the teacher's shape: a regressor r (1x1 convolution or linear map) stands where channels
 * differ, without the batch normalisation and ReLU that mdistiller puts behind it: they would bound what it can express.
 * Published weight 100 (mdistiller, RepDistiller).
 */
export const fitnet: Loss<typeof options> = {
  name: 'fitnet',
  summary: 'mean squared difference of hidden tensors (hints)',
  citation: 'Romero et al., "FitNets: Hints for Thin Deep Nets", ICLR 2015, arXiv 1412.6550',
  formula: '1 / P * sum_p mean (r(F_s) - F_t)^2',
  needs: ['features'],
  publishedWeight: () => 100,
  features: {
    align: 'shape',
    ranks: [2, 3, 4],
    auto: 'middle',
    samples: [
      [{ student: [5, 3, 2, 4], teacher: [5, 3, 2, 4] }],
      [
        { student: [5, 6], teacher: [5, 6] },
        { student: [5, 4, 3], teacher: [5, 4, 3] },
      ],
    ],
  },
  options,
  build: squaredDifference,
  reference: squaredDifferenceOf,
};
