import type { Metric } from './metric.ts';
import { argmax, labelledRows, probabilities } from './rows.ts';

const BINS = 15;

/** Guo et al., "On Calibration of Modern Neural Networks", 2017, arXiv 1706.04599, equation 3; bins ((i-1)/15, i/15]. */
export const expectedCalibrationError: Metric = {
  name: 'ece',
  summary: 'expected calibration error: gap between confidence and accuracy, 15 equal bins',
  formula: 'sum over bins of |B| / N * |accuracy(B) - confidence(B)|',
  better: 'lower',
  needs: ['labels'],
  compute(s) {
    const rows = labelledRows(s);
    if (rows.length === 0) return null;
    const confidence = new Float64Array(BINS);
    const right = new Float64Array(BINS);
    for (const row of rows) {
      const top = argmax(s.logits, s.classes, row);
      const p = probabilities(s.logits, s.classes, row)[top]!;
      const bin = Math.min(BINS - 1, Math.max(0, Math.ceil(p * BINS) - 1));
      confidence[bin]! += p;
      if (top === s.labels[row]) right[bin]! += 1;
    }
    // |B| / N * |right / |B| - confidence / |B|| = |right - confidence| / N
    return right.reduce((sum, count, bin) => sum + Math.abs(count - confidence[bin]!), 0) / rows.length;
  },
};
