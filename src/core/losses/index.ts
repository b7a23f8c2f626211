import { attentionTransfer } from './attention-transfer.ts';
import { cosine } from './cosine.ts';
import { crossEntropy } from './cross-entropy.ts';
import { cwd } from './cwd.ts';
import { fitnet } from './fitnet.ts';
import { kl } from './kl.ts';
import { logitMse } from './logit-mse.ts';
import type { Loss } from './loss.ts';
import { nst } from './nst.ts';
import { pkd } from './pkd.ts';
import { pkt } from './pkt.ts';
import { relational } from './relational.ts';
import { similarityPreserving } from './similarity-preserving.ts';
import { softCrossEntropy } from './soft-cross-entropy.ts';

/** Losses by name. */
export const losses = {
  'attention-transfer': attentionTransfer,
  cosine,
  'cross-entropy': crossEntropy,
  cwd,
  fitnet,
  kl,
  'logit-mse': logitMse,
  nst,
  pkd,
  pkt,
  relational,
  'similarity-preserving': similarityPreserving,
  'soft-cross-entropy': softCrossEntropy,
} as const satisfies Record<string, Loss>;
