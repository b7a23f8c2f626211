import { annealing } from './annealing.ts';
import { continuation } from './continuation.ts';
import { dataFree } from './data-free.ts';
import { ensemble } from './ensemble.ts';
import { federated } from './federated.ts';
import { functionMatching } from './function-matching.ts';
import { labelFree } from './label-free.ts';
import { mutual } from './mutual.ts';
import { progressive } from './progressive.ts';
import { self } from './self.ts';
import { selfWithin } from './self-within.ts';
import { singleStage } from './single-stage.ts';
import type { Strategy } from './strategy.ts';
import { twoStage } from './two-stage.ts';

/** Strategies by name. */
export const strategies = {
  annealing,
  continuation,
  'data-free': dataFree,
  ensemble,
  federated,
  'function-matching': functionMatching,
  'label-free': labelFree,
  mutual,
  progressive,
  self,
  'self-within': selfWithin,
  'single-stage': singleStage,
  'two-stage': twoStage,
} as const satisfies Record<string, Strategy>;
