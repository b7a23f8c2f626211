import { GraphBuilder } from '../../src/core/onnx/builder.ts';
import type { Model } from '../../src/core/onnx/model.ts';
import { sizeOf, tensor } from '../../src/core/onnx/tensor.ts';
import { Random } from '../../src/core/random.ts';

const [TOKENS, WIDTH, HEADS, CLASSES] = [3, 4, 2, 3];

/**
 * A student of one pre-norm transformer block, as PyTorch exports it: x [N, 3, 4], LayerNormalization, attention of two
 * heads by Softmax, the GELU of erf, the mean over the tokens; logits [N, 3].
 */
export function transformerBlock(seed: number): Model {
  const b = new GraphBuilder();
  const random = new Random(seed, 'transformer');
  const weight = (name: string, ...dims: number[]): string =>
    b.initializer(
      name,
      tensor(
        'float32',
        dims,
        Float64Array.from({ length: sizeOf(dims) }, () => random.normal() / Math.sqrt(dims[0]!)),
      ),
    );
  const linear = (name: string, x: string, from: number, to: number) =>
    b.op('Add', [b.op('MatMul', [x, weight(`${name}.weight`, from, to)]), weight(`${name}.bias`, to)]);
  const norm = (name: string, x: string) =>
    b.op('LayerNormalization', [x, weight(`${name}.scale`, WIDTH), weight(`${name}.bias`, WIDTH)], {
      axis: -1,
    });
  const heads = (x: string, perm: readonly number[]) =>
    b.op('Transpose', [b.op('Reshape', [x, b.ints([0, TOKENS, HEADS, WIDTH / HEADS])])], { perm });

  const x = b.input('x', 'float32', ['N', TOKENS, WIDTH]);
  const normal = norm('norm1', x);
  const [query, key, value] = ['query', 'key', 'value'].map((name) => linear(name, normal, WIDTH, WIDTH)) as [
    string,
    string,
    string,
  ];
  const products = b.op('MatMul', [heads(query, [0, 2, 1, 3]), heads(key, [0, 2, 3, 1])]);
  const attention = b.op('Softmax', [b.op('Div', [products, b.constant(Math.sqrt(WIDTH / HEADS))])], {
    axis: -1,
  });
  const mixed = b.op('Transpose', [b.op('MatMul', [attention, heads(value, [0, 2, 1, 3])])], {
    perm: [0, 2, 1, 3],
  });
  const joined = b.op('Reshape', [mixed, b.ints([0, TOKENS, WIDTH])]);
  const between = b.op('Add', [x, linear('out', joined, WIDTH, WIDTH)]);
  const wide = linear('up', norm('norm2', between), WIDTH, 2 * WIDTH);
  const erf = b.op('Erf', [b.op('Div', [wide, b.constant(Math.SQRT2)])]);
  const gelu = b.op('Mul', [b.op('Mul', [wide, b.op('Add', [erf, b.constant(1)])]), b.constant(0.5)]);
  const top = b.op('Add', [between, linear('down', gelu, 2 * WIDTH, WIDTH)]);
  const pooled = b.op('ReduceMean', [top, b.ints([1])], { keepdims: 0 });
  const logits = linear('classifier', pooled, WIDTH, CLASSES);
  b.output(b.op('Identity', [logits], {}, { outputs: ['logits'] }));
  return b.model('transformer-block');
}
