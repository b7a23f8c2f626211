import { annealedMse } from './annealed-mse.ts';
import { correctedKl } from './corrected-kl.ts';
import { crossEntropy } from './cross-entropy.ts';
import { dist } from './dist.ts';
import { dkd } from './dkd.ts';
import { dkdLabelFree } from './dkd-label-free.ts';
import { entropyWeightedKl } from './entropy-weighted-kl.ts';
import { jsd } from './jsd.ts';
import { kl } from './kl.ts';
import { logitMse } from './logit-mse.ts';
import type { Loss } from './loss.ts';
import { multiLevel } from './multi-level.ts';
import { regressionKd } from './regression-kd.ts';
import { reverseKl } from './reverse-kl.ts';
import { sigmoidKd } from './sigmoid-kd.ts';
import { softCrossEntropy } from './soft-cross-entropy.ts';
import { wttm } from './wttm.ts';

/** Losses by name. */
export const losses = {
  'corrected-kl': correctedKl,
  'annealed-mse': annealedMse,
  'cross-entropy': crossEntropy,
  dist,
  dkd,
  'dkd-label-free': dkdLabelFree,
  'entropy-weighted-kl': entropyWeightedKl,
  jsd,
  kl,
  'logit-mse': logitMse,
  'multi-level': multiLevel,
  'regression-kd': regressionKd,
  'reverse-kl': reverseKl,
  'sigmoid-kd': sigmoidKd,
  'soft-cross-entropy': softCrossEntropy,
  wttm,
} as const satisfies Record<string, Loss>;
