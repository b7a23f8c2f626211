import { GraphBuilder } from '../../src/core/onnx/builder.ts';
import { encodeModel } from '../../src/core/onnx/encode.ts';
import { tensor } from '../../src/core/onnx/tensor.ts';
import { Random } from '../../src/core/random.ts';

export interface AttentionNet {
  /** Numbers of a token; a multiple of `heads`. */
  readonly width: number;
  readonly heads?: number;
  readonly seed: number;
  /** Its classifier is drawn, too. */
  readonly untrained?: boolean;
}

const TOKENS = 4;

/**
 * One layer of self-attention on the tiny pictures, a token per quadrant. Right by construction: a token's first number is
 * the brightness of its quadrant and goes through the residual path. Values: `norm` and `hidden` [N, 4, width], `query`,
 * `key`, `value` alike, `attention` [N, heads, 4, 4] in front of its softmax, `scores` [N, 4].
 */
export function attentionNet({ width, heads = 2, seed, untrained = false }: AttentionNet): Uint8Array {
  const b = new GraphBuilder();
  const x = b.input('picture', 'float32', ['N', 1, 8, 8]);
  const random = new Random(seed, 'attention');
  const weight = (name: string, dims: readonly number[], of: (i: number) => number): string => {
    const count = dims.reduce((product, dim) => product * dim, 1);
    return b.initializer(
      name,
      tensor(
        'float32',
        dims,
        Float32Array.from({ length: count }, (_, i) => of(i)),
      ),
    );
  };
  const drawn = (scale: number) => () => scale * random.normal();
  const brightness = 1 / (255 * 16);
  const patches = weight('patches', [width, 1, 4, 4], (i) =>
    i < 16 ? brightness : brightness * random.normal(),
  );
  const map = b.op('Conv', [x, patches], { kernel_shape: [4, 4], strides: [4, 4] });
  const tokens = b.op('Transpose', [b.op('Reshape', [map, b.ints([0, width, TOKENS])])], { perm: [0, 2, 1] });
  const norm = b.op(
    'LayerNormalization',
    [tokens, weight('norm.scale', [width], () => 1), weight('norm.shift', [width], () => 0)],
    {},
    { outputs: ['norm'] },
  );
  const projected = (name: string): string =>
    b.op('MatMul', [norm, weight(`${name}.w`, [width, width], drawn(0.5))], {}, { outputs: [name] });
  const cut = (y: string, perm: readonly number[]): string =>
    b.op('Transpose', [b.op('Reshape', [y, b.ints([0, TOKENS, heads, width / heads])])], { perm });
  const [query, key, value] = ['query', 'key', 'value'].map(projected) as [string, string, string];
  const products = b.op('MatMul', [cut(query, [0, 2, 1, 3]), cut(key, [0, 2, 3, 1])]);
  const scale = b.constant(Math.sqrt(width / heads));
  const attention = b.op('Div', [products, scale], {}, { outputs: ['attention'] });
  const mixed = b.op('MatMul', [b.op('Softmax', [attention], { axis: 3 }), cut(value, [0, 2, 1, 3])]);
  const joined = b.op('Reshape', [
    b.op('Transpose', [mixed], { perm: [0, 2, 1, 3] }),
    b.ints([0, TOKENS, width]),
  ]);
  // Nothing of the attention reaches the first number.
  const out = weight('out.w', [width, width], (i) => (i % width === 0 ? 0 : 0.1 * random.normal()));
  const hidden = b.op('Add', [tokens, b.op('MatMul', [joined, out])], {}, { outputs: ['hidden'] });
  const pick = weight('pick', [TOKENS * width, TOKENS], (i) =>
    untrained ? 0.3 * random.normal() : Math.floor(i / TOKENS) === (i % TOKENS) * width ? 20 : 0,
  );
  b.output(b.op('MatMul', [b.op('Flatten', [hidden], { axis: 1 }), pick], {}, { outputs: ['scores'] }));
  return encodeModel(b.model('attention-net'));
}
