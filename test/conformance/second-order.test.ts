import { describe, test } from 'node:test';
import type { Model, Node } from '../../src/core/onnx/model.ts';
import { withGraph } from '../../src/core/onnx/passes/graph-edit.ts';
import { sizeOf } from '../../src/core/onnx/tensor.ts';
import { buildProgram, type ObjectiveTerm } from '../../src/core/program/build-program.ts';
import type { Program } from '../../src/core/program/program.ts';
import { Random } from '../../src/core/random.ts';
import { students } from '../../src/core/students/index.ts';
import { checkSecondOrder } from '../support/check-second-order.ts';
import { transformerBlock } from '../support/transformer-block.ts';

/**
 * Gradients of gradients through whole students with a loss on top, as bilevel methods take them: a product of the
 * Hessian with a vector, and the gradient of the squared norm of a gradient (gradient matching of dataset distillation).
 */

const port = (...inputShape: number[]) => ({ input: 'x', inputShape, output: 'logits', classes: 3 });

/** The same student with a smooth function in place of ReLU, means in place of maxima. */
function smooth(model: Model, activation: string): Model {
  const other = (node: Node): Node => {
    if (node.op === 'Relu') return { ...node, op: activation };
    return node.op === 'MaxPool' ? { ...node, op: 'AveragePool' } : node;
  };
  return withGraph(model, { ...model.graph, nodes: model.graph.nodes.map(other) });
}

const mlp = students.mlp.build(port(5), { hidden: [6, 4], dropout: 0 }, 1);
const convNet = students['conv-net'].build(port(2, 4, 4), { widths: [3, 4], head: 'average' }, 1);
/** In a deep network every direction crosses kinks. */
const networks: Readonly<Record<string, Model>> = {
  mlp,
  'mlp with Tanh': smooth(mlp, 'Tanh'),
  'mlp with Softplus': smooth(mlp, 'Softplus'),
  'conv-net': convNet,
  'conv-net with Sigmoid and mean pools': smooth(convNet, 'Sigmoid'),
  'resnet with Softplus': smooth(students.resnet.build(port(2, 8, 8), { depth: 8, width: 2 }, 1), 'Softplus'),
  'transformer block': transformerBlock(1),
};

const objective: readonly ObjectiveTerm[] = [
  { loss: 'kl', weight: 0.7, temperature: 2, options: {} },
  { loss: 'cross-entropy', weight: 0.3, options: {} },
];

/** Normal numbers; labels one-hot. */
function feedsOf(program: Program): Map<string, Float32Array> {
  const random = new Random(3, 'feeds');
  return new Map(
    program.batch.map(({ name, dims }) => {
      const values = Float32Array.from({ length: sizeOf(dims) }, () => random.normal());
      if (name !== 'labels') return [name, values];
      return [name, values.map((_, i) => (i % dims[1]! === Math.floor(i / dims[1]!) % dims[1]! ? 1 : 0))];
    }),
  );
}

for (const [name, student] of Object.entries(networks)) {
  describe(name, () => {
    const program = buildProgram({
      student,
      terms: objective,
      batchSize: 3,
      optimizer: { name: 'sgd', options: {} },
    });
    for (const scalar of ['product', 'square'] as const) {
      const what =
        scalar === 'product' ? 'the Hessian times a vector' : 'the gradient of the squared gradient';
      for (const target of ['ort-cpu', 'ort-cuda'] as const) {
        test(`${what} is that of differences, ${target}`, () =>
          checkSecondOrder({ program, feeds: feedsOf(program), inputs: ['x'], scalar, target }));
      }
    }
  });
}
