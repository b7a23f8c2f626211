import { RetortError } from '../../../errors.ts';
import type { Model } from '../model.ts';

/**
 * A pass makes a new model from a model. It never changes its input, shares tensors with it, keeps the names of inputs and
 * outputs unless it says otherwise, and applied twice does what once does. It returns the very same object where there was
 * nothing to do.
 */
export interface Pass<Options extends object = object> {
  readonly name: string;
  /** One sentence: what the result has that the input had not. */
  readonly summary: string;
  /** Why the pass cannot work on this model, in words; empty where it can. */
  requires?(model: Model, options: Options): readonly string[];
  run(model: Model, options: Options): Model;
  /** What does not hold of the result although it should; empty for a correct pass. */
  ensures?(result: Model, options: Options): readonly string[];
}

/** Runs a pass under its contract: ONNX_UNSUPPORTED where `requires` fails, INTERNAL where `ensures` does. */
export function applyPass<Options extends object>(
  pass: Pass<Options>,
  model: Model,
  options: Options,
): Model {
  const unmet = pass.requires?.(model, options) ?? [];
  if (unmet.length > 0) {
    throw new RetortError('ONNX_UNSUPPORTED', `${pass.name}: ${unmet.join('; ')}`, { problems: unmet });
  }
  const result = pass.run(model, options);
  const broken = pass.ensures?.(result, options) ?? [];
  if (broken.length > 0)
    throw new RetortError('INTERNAL', `${pass.name} failed its own promise: ${broken.join('; ')}`);
  return result;
}
