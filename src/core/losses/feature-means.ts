import type { GraphBuilder } from '../onnx/builder.ts';
import type { FeaturePair, NumberPair } from './features.ts';

/** Mean over the pairs of a term: its weight means the same for one pair and for several. */
export function meanOver(
  b: GraphBuilder,
  pairs: readonly FeaturePair[],
  make: (pair: FeaturePair, index: number) => string,
): string {
  const sum = pairs.map(make).reduce((left, right) => b.op('Add', [left, right]));
  return pairs.length === 1 ? sum : b.op('Div', [sum, b.constant(pairs.length)]);
}

/** Plain-number twin of `meanOver`. */
export const averageOver = (
  pairs: readonly NumberPair[],
  make: (pair: NumberPair, index: number) => number,
): number => pairs.reduce((sum, pair, i) => sum + make(pair, i), 0) / pairs.length;

/** Mean of the squares of all elements, a scalar. */
export const meanSquare = (b: GraphBuilder, x: string): string =>
  b.op('ReduceMean', [b.op('Mul', [x, x])], { keepdims: 0 });

/** Plain-number twin of `meanSquare`. */
export const meanSquareOf = (values: readonly number[]): number =>
  values.reduce((sum, value) => sum + value * value, 0) / values.length;
