import { float, floats } from '../../src/core/onnx/attributes.ts';
import { GraphBuilder } from '../../src/core/onnx/builder.ts';
import type { Graph, Model } from '../../src/core/onnx/model.ts';
import { tensor } from '../../src/core/onnx/tensor.ts';

/** A small model with something of everything that builders make: attributes, initializers, a body, a second domain. */
export function sampleModel(): Model {
  const b = new GraphBuilder({ '': 18, 'com.microsoft': 1 });
  b.input('x', 'float32', ['N', 3, 8, 8]);
  b.initializer(
    'conv.weight',
    tensor(
      'float32',
      [2, 3, 3, 3],
      Array.from({ length: 54 }, (_, i) => i / 100),
    ),
  );
  b.initializer('bias', tensor('float16', [2], [0.5, -2]));
  b.op('Conv', ['x', 'conv.weight'], { pads: [1, 1, 1, 1], auto_pad: 'NOTSET' }, { outputs: ['c'] });
  b.op('LeakyRelu', ['c'], { alpha: float(0.1) }, { outputs: ['r'], name: 'act' });
  b.op('Upsample', ['r'], { scales: floats([1, 1, 2, 2]) }, { outputs: ['u'], domain: 'com.microsoft' });
  b.op('ReduceMax', ['r'], { keepdims: 0 }, { outputs: ['m'] });
  const zero = b.constant(0);
  b.op('Greater', ['m', zero], {}, { outputs: ['positive'] });
  b.node({
    op: 'If',
    domain: '',
    name: 'choose',
    inputs: ['positive'],
    outputs: ['y'],
    attributes: {
      then_branch: { type: 'graph', value: branch('yes', 'Relu') },
      else_branch: { type: 'graph', value: branch('no', 'Neg') },
    },
  });
  b.output('y', 'u');
  return { ...b.model('sample'), metadata: { author: 'a "person"' } };
}

/** One operator on `r`, a value of the graph around it. */
function branch(name: string, op: string): Graph {
  const output = `${name}.out`;
  const node = { op, domain: '', name: '', inputs: ['r'], outputs: [output], attributes: {} };
  const info = { name: output, dtype: 'float32', shape: undefined } as const;
  return { name, nodes: [node], initializers: new Map(), inputs: [], outputs: [info], valueInfo: new Map() };
}
