import type { ObjectiveParts } from '../losses/features.ts';
import { stopGradient } from '../losses/stop-gradient.ts';
import type { GraphBuilder } from '../onnx/builder.ts';
import { tensor } from '../onnx/tensor.ts';

const LOWEST = 1;
const HIGHEST = 21;

/**
 * A temperature that is learned against the student: T = 1 + 20 sigmoid(g), a scalar, where the gradient of g is
 * multiplied by -lambda (`reversal`, a scalar). While lambda grows from 0, targets go from easy to hard.
 * Li et al., "Curriculum Temperature for Knowledge Distillation", AAAI 2023, arXiv 2211.16231: the global temperature.
 */
export function learnedTemperature(
  b: GraphBuilder,
  own: ObjectiveParts,
  start: number,
  reversal: string,
): string {
  const share = (start - LOWEST) / (HIGHEST - LOWEST);
  const g = own.parameter('temperature', tensor('float32', [1], [Math.log(share / (1 - share))]), {
    weightDecay: 0,
  });
  const above = b.op('Mul', [b.op('Sigmoid', [g]), b.constant(HIGHEST - LOWEST)]);
  const t = b.op('Squeeze', [b.op('Add', [above, b.constant(LOWEST)]), b.ints([0])]);
  // As a number this is T; its slope is -lambda.
  const still = stopGradient(b, t);
  return b.op('Sub', [still, b.op('Mul', [reversal, b.op('Sub', [t, still])])]);
}
