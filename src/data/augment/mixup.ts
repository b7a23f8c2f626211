import Type from 'typebox';
import type { Random } from '../../core/random.ts';
import type { MixingAugmentation } from './augmentation.ts';

const options = Type.Object(
  {
    alpha: Type.Number({
      exclusiveMinimum: 0,
      default: 0.2,
      description: 'Both parameters of the Beta distribution',
    }),
  },
  { additionalProperties: false },
);

export const mixup: MixingAugmentation<typeof options> = {
  name: 'mixup',
  summary: 'Convex mix with a partner of the same epoch, weight from Beta(alpha, alpha), labels mixed alike',
  citation: 'Zhang, Cisse, Dauphin, Lopez-Paz: mixup: Beyond Empirical Risk Minimization. ICLR 2018',
  kind: 'mixing',
  options,
  weight(random, { alpha }) {
    const a = logGamma(random, alpha);
    const b = logGamma(random, alpha);
    // In logarithms: with a small alpha both draws can be too small for a float.
    return 1 / (1 + Math.exp(b - a));
  },
};

/** Logarithm of a Gamma(shape, 1) draw (Marsaglia, Tsang 2000; shapes below 1 by their boost). */
function logGamma(random: Random, shape: number): number {
  if (shape < 1) return logGamma(random, shape + 1) + Math.log(1 - random.uniform()) / shape;
  const d = shape - 1 / 3;
  const c = 1 / Math.sqrt(9 * d);
  for (;;) {
    const x = random.normal();
    const v = (1 + c * x) ** 3;
    if (v <= 0) continue;
    if (Math.log(1 - random.uniform()) < 0.5 * x * x + d - d * v + d * Math.log(v)) return Math.log(d * v);
  }
}
