/**
 * Linear centred kernel alignment of two sets of features of the same n rows (Kornblith et al., "Similarity of Neural
 * Network Representations Revisited", ICML 2019, arXiv 1905.00414): CKA = <K, L> / (|K| |L|) with K and L the centred
 * Gram matrices [n, n]. 1 for features that differ by a rotation and a scale, 0 where one side is constant.
 */
export function linearCka(first: Float64Array, second: Float64Array): number {
  const scale = Math.sqrt(inner(first, first) * inner(second, second));
  return scale === 0 ? 0 : inner(first, second) / scale;
}

/** The centred Gram matrix [n, n] of features [n, size]. */
export function centredGram(features: Float32Array, rows: number): Float64Array {
  const size = features.length / rows;
  const gram = new Float64Array(rows * rows);
  for (let i = 0; i < rows; i++) {
    for (let j = 0; j <= i; j++) {
      let sum = 0;
      for (let k = 0; k < size; k++) sum += features[i * size + k]! * features[j * size + k]!;
      gram[i * rows + j] = sum;
      gram[j * rows + i] = sum;
    }
  }
  const means = Float64Array.from({ length: rows }, (_, i) => mean(gram.subarray(i * rows, (i + 1) * rows)));
  const all = mean(means);
  // Of a symmetric matrix row means are column means.
  return gram.map((value, at) => value - means[Math.floor(at / rows)]! - means[at % rows]! + all);
}

const mean = (values: Float64Array): number => values.reduce((sum, value) => sum + value, 0) / values.length;

const inner = (x: Float64Array, y: Float64Array): number =>
  x.reduce((sum, value, i) => sum + value * y[i]!, 0);
