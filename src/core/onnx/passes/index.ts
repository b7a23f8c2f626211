import { foldShapes } from './fold-shapes.ts';
import { prune } from './prune.ts';
import { toOpset18 } from './to-opset-18.ts';
import { untieInitializers } from './untie-initializers.ts';

/** All passes by name. */
export const passes = {
  'fold-shapes': foldShapes,
  prune,
  'to-opset-18': toOpset18,
  'untie-initializers': untieInitializers,
} as const;
