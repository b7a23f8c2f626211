import { crossEntropy } from './cross-entropy.ts';
import { fitnet } from './fitnet.ts';
import { kl } from './kl.ts';
import { logitMse } from './logit-mse.ts';
import type { Loss } from './loss.ts';
import { softCrossEntropy } from './soft-cross-entropy.ts';

/** Losses by name. */
export const losses = {
  'cross-entropy': crossEntropy,
  fitnet,
  kl,
  'logit-mse': logitMse,
  'soft-cross-entropy': softCrossEntropy,
} as const satisfies Record<string, Loss>;
