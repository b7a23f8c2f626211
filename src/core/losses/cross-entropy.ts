import Type from 'typebox';
import { invariant } from '../../errors.ts';
import type { Loss } from './loss.ts';
import { batchMean, meanOfRows } from './means.ts';
import { logSoftmaxRow } from './softened.ts';

const options = Type.Object({}, { additionalProperties: false });

/**
 * Cross-entropy with the labels: L = -1 / B * sum_b sum_c y ln softmax(z_s). y is a distribution (one-hot, smoothed or
 * mixed); rows without a label are all zero and add nothing, but still count in B, so a batch with few labels weighs less.
 */
export const crossEntropy: Loss<typeof options> = {
  name: 'cross-entropy',
  summary: 'cross-entropy of the student with the labels',
  citation: 'Goodfellow, Bengio, Courville, "Deep Learning", 2016, section 6.2.2',
  formula: '-1 / B * sum y ln softmax(z_s)',
  needs: ['labels'],
  options,
  build({ b, studentLogits, labels }) {
    invariant(labels, 'cross-entropy needs labels');
    const student = b.op('LogSoftmax', [studentLogits], { axis: 1 });
    return b.op('Neg', [batchMean(b, b.op('Mul', [labels, student]))]);
  },
  reference(numbers) {
    return meanOfRows(numbers, (student, _, label) => {
      const lnStudent = logSoftmaxRow(student);
      return -label.reduce((sum, y, c) => sum + y * lnStudent[c]!, 0);
    });
  },
};
