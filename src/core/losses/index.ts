import { annealedMse } from './annealed-mse.ts';
import { attentionMap } from './attention-map.ts';
import { attentionTransfer } from './attention-transfer.ts';
import { correctedKl } from './corrected-kl.ts';
import { cosine } from './cosine.ts';
import { crd } from './crd.ts';
import { crossEntropy } from './cross-entropy.ts';
import { cwd } from './cwd.ts';
import { dist } from './dist.ts';
import { dkd } from './dkd.ts';
import { dkdLabelFree } from './dkd-label-free.ts';
import { embedding } from './embedding.ts';
import { entropyWeightedKl } from './entropy-weighted-kl.ts';
import { fitnet } from './fitnet.ts';
import { hiddenState } from './hidden-state.ts';
import { jsd } from './jsd.ts';
import { kl } from './kl.ts';
import { logitMse } from './logit-mse.ts';
import type { Loss } from './loss.ts';
import { mgd } from './mgd.ts';
import { minilmRelations } from './minilm-relations.ts';
import { multiLevel } from './multi-level.ts';
import { nst } from './nst.ts';
import { pkd } from './pkd.ts';
import { pkt } from './pkt.ts';
import { regressionKd } from './regression-kd.ts';
import { relational } from './relational.ts';
import { reverseKl } from './reverse-kl.ts';
import { review } from './review.ts';
import { selfDistillation } from './self-distillation.ts';
import { sigmoidKd } from './sigmoid-kd.ts';
import { similarityPreserving } from './similarity-preserving.ts';
import { softCrossEntropy } from './soft-cross-entropy.ts';
import { vid } from './vid.ts';
import { wttm } from './wttm.ts';

/** Losses by name. */
export const losses = {
  'annealed-mse': annealedMse,
  'attention-map': attentionMap,
  'attention-transfer': attentionTransfer,
  'corrected-kl': correctedKl,
  cosine,
  crd,
  'cross-entropy': crossEntropy,
  cwd,
  dist,
  dkd,
  'dkd-label-free': dkdLabelFree,
  embedding,
  'entropy-weighted-kl': entropyWeightedKl,
  fitnet,
  'hidden-state': hiddenState,
  jsd,
  kl,
  'logit-mse': logitMse,
  mgd,
  'minilm-relations': minilmRelations,
  'multi-level': multiLevel,
  nst,
  pkd,
  pkt,
  'regression-kd': regressionKd,
  relational,
  'reverse-kl': reverseKl,
  review,
  'self-distillation': selfDistillation,
  'sigmoid-kd': sigmoidKd,
  'similarity-preserving': similarityPreserving,
  'soft-cross-entropy': softCrossEntropy,
  vid,
  wttm,
} as const satisfies Record<string, Loss>;
