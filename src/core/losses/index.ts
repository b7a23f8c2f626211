import { annealedMse } from './annealed-mse.ts';
import { attentionTransfer } from './attention-transfer.ts';
import { correctedKl } from './corrected-kl.ts';
import { cosine } from './cosine.ts';
import { crossEntropy } from './cross-entropy.ts';
import { cwd } from './cwd.ts';
import { dist } from './dist.ts';
import { dkd } from './dkd.ts';
import { dkdLabelFree } from './dkd-label-free.ts';
import { entropyWeightedKl } from './entropy-weighted-kl.ts';
import { fitnet } from './fitnet.ts';
import { jsd } from './jsd.ts';
import { kl } from './kl.ts';
import { logitMse } from './logit-mse.ts';
import type { Loss } from './loss.ts';
import { multiLevel } from './multi-level.ts';
import { nst } from './nst.ts';
import { pkd } from './pkd.ts';
import { pkt } from './pkt.ts';
import { regressionKd } from './regression-kd.ts';
import { relational } from './relational.ts';
import { reverseKl } from './reverse-kl.ts';
import { sigmoidKd } from './sigmoid-kd.ts';
import { similarityPreserving } from './similarity-preserving.ts';
import { softCrossEntropy } from './soft-cross-entropy.ts';
import { wttm } from './wttm.ts';

/** Losses by name. */
export const losses = {
  'annealed-mse': annealedMse,
  'attention-transfer': attentionTransfer,
  'corrected-kl': correctedKl,
  cosine,
  'cross-entropy': crossEntropy,
  cwd,
  dist,
  dkd,
  'dkd-label-free': dkdLabelFree,
  'entropy-weighted-kl': entropyWeightedKl,
  fitnet,
  jsd,
  kl,
  'logit-mse': logitMse,
  'multi-level': multiLevel,
  nst,
  pkd,
  pkt,
  'regression-kd': regressionKd,
  relational,
  'reverse-kl': reverseKl,
  'sigmoid-kd': sigmoidKd,
  'similarity-preserving': similarityPreserving,
  'soft-cross-entropy': softCrossEntropy,
  wttm,
} as const satisfies Record<string, Loss>;
