import { logSumExp } from './log-sum-exp.ts';

/**
 * Logits of a mean of distributions: ln sum_k w_k softmax(z_k), the weights adding up to 1. One source is returned as it
 * is, with the scale of its logits; several lose the common shift of a row, which no softmax sees.
 */
export function mixLogits(
  sources: readonly { readonly logits: Float32Array; readonly weight: number }[],
  classes: number,
): Float32Array {
  const [first, ...others] = sources;
  if (others.length === 0) return first!.logits;
  const total = sources.reduce((sum, { weight }) => sum + weight, 0);
  const mixed = new Float32Array(first!.logits.length);
  for (let at = 0; at < mixed.length; at += classes) {
    const offsets = sources.map(
      ({ logits, weight }) => Math.log(weight / total) - logSumExp(classes, (c) => logits[at + c]!),
    );
    for (let c = 0; c < classes; c++) {
      mixed[at + c] = logSumExp(sources.length, (k) => sources[k]!.logits[at + c]! + offsets[k]!);
    }
  }
  return mixed;
}
