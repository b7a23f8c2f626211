import type { GraphBuilder } from '../onnx/builder.ts';

/**
 * p (ln p - ln q), element by element, from logarithms; summed over classes it is KL(p || q) in nats. p = 0 adds
 * nothing as long as both logarithms are finite, as those of `logSoftened` are.
 */
export const divergence = (b: GraphBuilder, lnP: string, lnQ: string): string =>
  b.op('Mul', [b.op('Exp', [lnP]), b.op('Sub', [lnP, lnQ])]);

/** KL(p || q) of one row on plain numbers, where logarithms may be infinite. */
export const divergenceRow = (lnP: readonly number[], lnQ: readonly number[]): number =>
  lnP.reduce((sum, ln, c) => {
    const p = Math.exp(ln);
    return p === 0 ? sum : sum + p * (ln - lnQ[c]!);
  }, 0);
