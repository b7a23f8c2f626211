/** How labels become distributions. */
interface LabelRules {
  readonly smoothing: number;
  readonly labelled: Uint8Array | undefined;
  /** Mixing: each row's partner and the row's own weight. */
  readonly partners: Uint32Array | undefined;
  readonly weights: Float64Array | undefined;
}

/**
 * Fills [B, C]: (1 - s) one-hot + s / C, mixed with the partner's. A row without a label, or whose partner has none,
 * is all zero: half a label would teach a wrong total.
 */
export function writeLabels(
  out: Float32Array,
  classes: number,
  labels: Int32Array,
  rows: ArrayLike<number>,
  { smoothing, labelled, partners, weights }: LabelRules,
): void {
  out.fill(0);
  const labelOf = (row: number): number => (labelled && !labelled[row] ? -1 : labels[row]!);
  for (let i = 0; i < rows.length; i++) {
    const label = labelOf(rows[i]!);
    const other = partners ? labelOf(partners[i]!) : label;
    if (label < 0 || other < 0) continue;
    const at = i * classes;
    const weight = weights?.[i] ?? 1;
    if (smoothing > 0) out.fill(smoothing / classes, at, at + classes);
    out[at + label]! += (1 - smoothing) * weight;
    out[at + other]! += (1 - smoothing) * (1 - weight);
  }
}
