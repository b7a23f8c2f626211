import { GraphBuilder } from '../../src/core/onnx/builder.ts';
import { encodeModel } from '../../src/core/onnx/encode.ts';
import { sizeOf, tensor } from '../../src/core/onnx/tensor.ts';
import { Random } from '../../src/core/random.ts';
import type { Source } from '../../src/data/format.ts';
import { memorySource, npyOf } from './data-files.ts';

export interface BertLike {
  readonly layers: number;
  /** Numbers of a token; a multiple of `heads`. */
  readonly width: number;
  readonly heads?: number;
  readonly seed: number;
  /** For a student: its embeddings and its classifier are drawn, too. */
  readonly untrained?: boolean;
  /** Of its `ids`. Default: int64. */
  readonly dtype?: 'int32' | 'int64';
  /** With an input `mask` [N, 8] of that type: tokens of 0 are neither attended to nor in the mean. */
  readonly mask?: 'float32' | 'int64';
}

const [TOKENS, WORDS, CLASSES] = [8, 20, 4];

/**
 * BERT in small: `ids` [N, 8] to embeddings of words and places, normalised (`embedding`), layers of attention and GELU
 * normalised behind their sums, the mean over tokens, `scores` [N, 4]. Right by construction: a row holds one of the words 0 to
 * 3, its class, and the first four numbers of a token say which of them it is, untouched by the layers. Layer i has `query.i`,
 * `key.i` and `value.i` [N, 8, width], `attention.i` [N, heads, 8, 8] in front of its softmax and `hidden.i`.
 */
export function bertLike({
  layers,
  width,
  heads = 2,
  seed,
  untrained = false,
  dtype = 'int64',
  mask,
}: BertLike): Uint8Array {
  const b = new GraphBuilder();
  const random = new Random(seed, 'bert');
  const weight = (name: string, dims: readonly number[], of: (i: number) => number): string =>
    b.initializer(
      name,
      tensor(
        'float32',
        dims,
        Float32Array.from({ length: sizeOf(dims) }, (_, i) => of(i)),
      ),
    );
  const drawn = (scale: number) => () => scale * random.normal();
  /** Nothing of it reaches the first four numbers, unless the network is to learn all. */
  const beside = (scale: number) => (i: number) =>
    untrained || i % width >= CLASSES ? scale * random.normal() : 0;
  const norm = (name: string, x: string, output: string): string => {
    const scale = weight(`${name}.scale`, [width], () => 1);
    const shift = weight(`${name}.shift`, [width], () => 0);
    return b.op('LayerNormalization', [x, scale, shift], { axis: -1 }, { outputs: [output] });
  };
  const cut = (y: string, perm: readonly number[]): string =>
    b.op('Transpose', [b.op('Reshape', [y, b.ints([0, TOKENS, heads, width / heads])])], { perm });

  const ids = b.input('ids', dtype, ['N', TOKENS]);
  /** [N, 8] float32. */
  const shown = mask && b.op('Cast', [b.input('mask', mask, ['N', TOKENS])], { to: 1 });
  const hidden = shown && b.op('Mul', [b.op('Sub', [b.constant(1), shown]), b.constant(-1e4)]);
  const words = weight('words', [WORDS, width], (i) => {
    const [word, at] = [Math.floor(i / width), i % width];
    if (!untrained && at < CLASSES) return word === at ? 4 : 0;
    return random.normal();
  });
  const places = weight('places', [TOKENS, width], beside(0.1));
  const sum = b.op('Add', [b.op('Gather', [words, ids], { axis: 0 }), places]);
  let x = norm('first', sum, 'embedding');
  for (let i = 1; i <= layers; i++) {
    const [query, key, value] = ['query', 'key', 'value'].map((name) => {
      const w = weight(`${name}.${i}.w`, [width, width], drawn(1 / Math.sqrt(width)));
      return b.op('MatMul', [x, w], {}, { outputs: [`${name}.${i}`] });
    }) as [string, string, string];
    const products = b.op('MatMul', [cut(query, [0, 2, 1, 3]), cut(key, [0, 2, 3, 1])]);
    const scale = b.constant(Math.sqrt(width / heads));
    const name = { outputs: [`attention.${i}`] };
    const attention = hidden
      ? b.op('Add', [b.op('Div', [products, scale]), b.op('Unsqueeze', [hidden, b.ints([1, 2])])], {}, name)
      : b.op('Div', [products, scale], {}, name);
    const mixed = b.op('MatMul', [b.op('Softmax', [attention], { axis: -1 }), cut(value, [0, 2, 1, 3])]);
    const turned = b.op('Transpose', [mixed], { perm: [0, 2, 1, 3] });
    const joined = b.op('Reshape', [turned, b.ints([0, TOKENS, width])]);
    const out = b.op('MatMul', [joined, weight(`out.${i}.w`, [width, width], beside(0.2))]);
    const between = norm(`between.${i}`, b.op('Add', [x, out]), `between.${i}`);
    const up = weight(`up.${i}.w`, [width, 2 * width], drawn(1 / Math.sqrt(width)));
    const wide = b.op('MatMul', [between, up]);
    const erf = b.op('Erf', [b.op('Div', [wide, b.constant(Math.SQRT2)])]);
    const half = b.op('Mul', [wide, b.constant(0.5)]);
    const gelu = b.op('Mul', [half, b.op('Add', [erf, b.constant(1)])]);
    const down = b.op('MatMul', [gelu, weight(`down.${i}.w`, [2 * width, width], beside(0.2))]);
    x = norm(`last.${i}`, b.op('Add', [between, down]), `hidden.${i}`);
  }
  const pooled = shown ? meanOf(b, x, shown) : b.op('ReduceMean', [x, b.ints([1])], { keepdims: 0 });
  const pick = weight('pick', [width, CLASSES], (i) => {
    if (untrained) return 0.3 * random.normal();
    return Math.floor(i / CLASSES) === i % CLASSES ? 10 : 0;
  });
  b.output(b.op('MatMul', [pooled, pick], {}, { outputs: ['scores'] }));
  return encodeModel(b.model('bert-like'));
}

/** Of the tokens that are shown: [N, 8, width] and [N, 8] to [N, width]. */
function meanOf(b: GraphBuilder, x: string, shown: string): string {
  const sum = (values: string): string => b.op('ReduceSum', [values, b.ints([1])], { keepdims: 0 });
  const weights = b.op('Unsqueeze', [shown, b.ints([2])]);
  return b.op('Div', [sum(b.op('Mul', [x, weights])), sum(weights)]);
}

const arrays = {
  '<i8': (ids: readonly number[]) => BigInt64Array.from(ids, BigInt),
  '<i4': (ids: readonly number[]) => Int32Array.from(ids),
  '<f4': (ids: readonly number[]) => Float32Array.from(ids),
} as const;

export interface BertRows {
  readonly train?: number;
  readonly test?: number;
  /** Element type of the ids, as NumPy writes it. */
  readonly descr?: keyof typeof arrays;
  /** Put in the place of the second id of the fourth training row. */
  readonly odd?: number;
}

/** Rows of eight words, one of them the class; as NumPy arrays. */
export function bertRows({ train = 320, test = 120, descr = '<i8', odd }: BertRows = {}): Source[] {
  return Object.entries({ train, test }).flatMap(([split, rows]) => {
    const ids = new Array<number>(rows * TOKENS);
    const labels = new Uint8Array(rows);
    for (let row = 0; row < rows; row++) {
      const random = new Random(3, split, row);
      labels[row] = row % CLASSES;
      for (let at = 0; at < TOKENS; at++) ids[row * TOKENS + at] = CLASSES + random.int(WORDS - CLASSES);
      ids[row * TOKENS + random.int(TOKENS)] = labels[row]!;
    }
    if (odd !== undefined && split === 'train') ids[3 * TOKENS + 1] = odd;
    return [
      memorySource(`ids_${split}.npy`, npyOf(descr, [rows, TOKENS], arrays[descr](ids))),
      memorySource(`y_${split}.npy`, npyOf('|u1', [rows], labels)),
    ];
  });
}
