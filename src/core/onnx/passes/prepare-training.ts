import type { Model, Shape } from '../model.ts';
import { foldShapes } from './fold-shapes.ts';
import { lowerSequences } from './lower-sequences.ts';
import { applyPass } from './pass.ts';
import { toOpset18 } from './to-opset-18.ts';
import { unrollLoops } from './unroll-loops.ts';
import { untieInitializers } from './untie-initializers.ts';

export interface PrepareOptions {
  /** Static shapes of the graph inputs. */
  readonly shapes?: Readonly<Record<string, Shape>>;
  /** Float initializers that are certainly not trained and may be folded. */
  readonly foldable?: (name: string) => boolean;
  /** Initializers that stay shared. */
  readonly tied?: ReadonlySet<string>;
}

/** Any model of opset 7 to 26 as training graphs are: opset 18, shapes folded, loops of known length written out, parameters untied, no no-ops. */
export function prepareTraining(model: Model, options: PrepareOptions = {}): Model {
  const folded = applyPass(foldShapes, model, { ...options, noops: true });
  const upgraded = applyPass(toOpset18, applyPass(lowerSequences, folded, {}), {});
  const unrolled = applyPass(unrollLoops, upgraded, options);
  const untied = applyPass(untieInitializers, unrolled, options);
  return applyPass(foldShapes, untied, { ...options, noops: true });
}
