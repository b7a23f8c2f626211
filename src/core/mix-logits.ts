import { logSumExp } from './log-sum-exp.ts';

/**
 * Logits of a mean of distributions: T ln sum_k w_k softmax(z_k / T), the weights adding up to 1. A divergence from them at
 * temperature T is that from the sources, each by its weight, up to a constant. One source is returned as it is, with the
 * scale of its logits; several lose the common shift of a row, which no softmax sees. A loss that compares logits themselves
 * (`logit-mse`) gets the ones without that shift: probabilities define them up to a constant only.
 */
export function mixLogits(
  sources: readonly { readonly logits: Float32Array; readonly weight: number }[],
  classes: number,
  temperature = 1,
): Float32Array {
  const [first, ...others] = sources;
  if (others.length === 0) return first!.logits;
  const total = sources.reduce((sum, { weight }) => sum + weight, 0);
  const mixed = new Float32Array(first!.logits.length);
  for (let at = 0; at < mixed.length; at += classes) {
    const offsets = sources.map(
      ({ logits, weight }) =>
        Math.log(weight / total) - logSumExp(classes, (c) => logits[at + c]! / temperature),
    );
    for (let c = 0; c < classes; c++) {
      const ln = logSumExp(sources.length, (k) => sources[k]!.logits[at + c]! / temperature + offsets[k]!);
      mixed[at + c] = temperature * ln;
    }
  }
  return mixed;
}
