/** Which of the rows of [N, ...] hold infinities or NaN, by their place. */
export function notFiniteRows(values: Float32Array, rows: number): readonly number[] {
  const size = values.length / rows;
  const isBad = (row: number): boolean => {
    // In float64 the sum is finite exactly where all are, and it costs next to nothing.
    let sum = 0;
    for (let i = row * size; i < (row + 1) * size; i++) sum += values[i]!;
    return !Number.isFinite(sum);
  };
  return Array.from({ length: rows }, (_, row) => row).filter(isBad);
}
