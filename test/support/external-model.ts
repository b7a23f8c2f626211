import { GraphBuilder } from '../../src/core/onnx/builder.ts';
import type { Model } from '../../src/core/onnx/model.ts';

/** A model with eight weights in an external file of that name. */
export function externalModel(location: string): Model {
  const b = new GraphBuilder();
  const x = b.input('x', 'float32', ['N', 4]);
  const external = { location, offset: 0, length: 32 };
  b.initializer('w', { dtype: 'float32', dims: [4, 2], bytes: new Uint8Array(), external });
  b.output(b.op('MatMul', [x, 'w'], {}, { outputs: ['scores'] }));
  return b.model('external');
}
