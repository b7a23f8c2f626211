import { GraphBuilder } from '../../src/core/onnx/builder.ts';
import type { Model } from '../../src/core/onnx/model.ts';

/** y [n, 2] = x [n, 2] op [1, 2]. */
export function addModel(op = 'Add'): Model {
  const b = new GraphBuilder();
  b.input('x', 'float32', ['n', 2]);
  b.op(op, ['x', b.constant([1, 2])], {}, { outputs: ['y'] });
  b.output('y');
  return b.model();
}
