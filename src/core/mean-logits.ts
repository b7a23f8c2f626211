/** The weighted mean of logits as they are, for losses that read no softmax: each score keeps its meaning and its scale. */
export function meanLogits(
  sources: readonly { readonly logits: Float32Array; readonly weight: number }[],
): Float32Array {
  const total = sources.reduce((sum, { weight }) => sum + weight, 0);
  return sources[0]!.logits.map((_, i) =>
    sources.reduce((sum, { logits, weight }) => sum + (weight / total) * logits[i]!, 0),
  );
}
