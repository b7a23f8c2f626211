/**
 * The assignment of rows to columns with the largest total gain (Hungarian method with potentials, O(n^3);
 * Kuhn 1955, in the shortest-augmenting-path form of Jonker and Volgenant 1987). Square matrix, row-major [n, n].
 * Returns the column of each row.
 */
export function bestAssignment(gain: Float64Array, n: number): number[] {
  const u = new Float64Array(n + 1);
  const v = new Float64Array(n + 1);
  /** Row matched to each column, 1-based; column 0 stands for "being matched". */
  const match = new Int32Array(n + 1);
  const way = new Int32Array(n + 1);
  for (let row = 1; row <= n; row++) {
    match[0] = row;
    let column = 0;
    const slack = new Float64Array(n + 1).fill(Number.POSITIVE_INFINITY);
    const used = new Uint8Array(n + 1);
    do {
      used[column] = 1;
      const from = match[column]!;
      let delta = Number.POSITIVE_INFINITY;
      let next = 0;
      for (let j = 1; j <= n; j++) {
        if (used[j]) continue;
        const reduced = -gain[(from - 1) * n + j - 1]! - u[from]! - v[j]!;
        if (reduced < slack[j]!) {
          slack[j] = reduced;
          way[j] = column;
        }
        if (slack[j]! < delta) {
          delta = slack[j]!;
          next = j;
        }
      }
      for (let j = 0; j <= n; j++) {
        if (used[j]) {
          u[match[j]!]! += delta;
          v[j]! -= delta;
        } else slack[j]! -= delta;
      }
      column = next;
    } while (match[column] !== 0);
    while (column !== 0) {
      const before = way[column]!;
      match[column] = match[before]!;
      column = before;
    }
  }
  const columns = new Array<number>(n).fill(-1);
  for (let j = 1; j <= n; j++) columns[match[j]! - 1] = j - 1;
  return columns;
}
