import type { GraphBuilder } from '../onnx/builder.ts';

/**
 * Added to the product of standard deviations, so that a constant vector correlates with nothing. DIST's code adds 1e-8
 * to the product of norms, which depends on how long the vectors are: the same at length 100.
 */
const FLOOR = 1e-10;

/** Pearson's correlation of two [B, C] values along an axis, [B, 1] or [1, C]: covariance / (deviations + 1e-10). */
export function pearson(b: GraphBuilder, x: string, y: string, axis: 0 | 1): string {
  const along = b.ints([axis]);
  const mean = (value: string) => b.op('ReduceMean', [value, along]);
  const centred = (value: string) => b.op('Sub', [value, mean(value)]);
  // Inside the root 1e-30 keeps the gradient of a constant vector finite; it is far below the floor.
  const deviation = (value: string) =>
    b.op('Sqrt', [b.op('Add', [mean(b.op('Mul', [value, value])), b.constant(1e-30)])]);
  const [cx, cy] = [centred(x), centred(y)];
  const scale = b.op('Add', [b.op('Mul', [deviation(cx), deviation(cy)]), b.constant(FLOOR)]);
  return b.op('Div', [mean(b.op('Mul', [cx, cy])), scale]);
}

/** Plain-number twin of `pearson` for one pair of vectors. */
export function pearsonOf(x: readonly number[], y: readonly number[]): number {
  const mean = (values: readonly number[]) => values.reduce((sum, v) => sum + v, 0) / values.length;
  const covariance = (a: readonly number[], b: readonly number[]) => {
    const [meanA, meanB] = [mean(a), mean(b)];
    return mean(a.map((v, i) => (v - meanA) * (b[i]! - meanB)));
  };
  return covariance(x, y) / (Math.sqrt(covariance(x, x)) * Math.sqrt(covariance(y, y)) + FLOOR);
}
