import { foldBatchNorm } from './fold-batch-norm.ts';
import { foldShapes } from './fold-shapes.ts';
import { inferenceMode } from './inference-mode.ts';
import { lowerSequences } from './lower-sequences.ts';
import { prune } from './prune.ts';
import { setBatch } from './set-batch.ts';
import { toOpset18 } from './to-opset-18.ts';
import { unrollLoops } from './unroll-loops.ts';
import { untieInitializers } from './untie-initializers.ts';

/** All passes by name. */
export const passes = {
  'fold-batch-norm': foldBatchNorm,
  'fold-shapes': foldShapes,
  'inference-mode': inferenceMode,
  'lower-sequences': lowerSequences,
  prune,
  'set-batch': setBatch,
  'to-opset-18': toOpset18,
  'unroll-loops': unrollLoops,
  'untie-initializers': untieInitializers,
} as const;
