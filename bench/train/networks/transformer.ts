import { GraphBuilder } from '../../../src/core/onnx/builder.ts';
import type { Model } from '../../../src/core/onnx/model.ts';
import type { StudentPort } from '../../../src/core/students/student.ts';
import { Parameters } from './parameters.ts';

const VOCABULARY = 4000;
const WIDTH = 128;
const LAYERS = 4;
const HEADS = 4;

/** Token ids [N, T] to class scores: embedding, 4 pre-LN encoder layers (4 heads, 512 inside, GELU by erf), mean, linear. */
export function transformer(port: StudentPort): Model {
  const b = new GraphBuilder();
  const [steps] = port.inputShape as [number];
  const p = new Parameters(b);
  const ids = b.input(port.input, 'int64', ['N', steps]);
  const tokens = b.op('Gather', [p.normal('tokens.weight', [VOCABULARY, WIDTH], 1), ids], { axis: 0 });
  let x = b.op('Add', [tokens, p.normal('positions', [1, steps, WIDTH], 0.02)]);
  for (let i = 1; i <= LAYERS; i++) {
    const name = (part: string) => `layer${i}.${part}`;
    const seen = attention(b, p.linear(name('qkv'), p.layerNorm(name('norm1'), x), 3 * WIDTH), steps);
    x = b.op('Add', [x, p.linear(name('out'), seen, WIDTH)]);
    const wide = gelu(b, p.linear(name('up'), p.layerNorm(name('norm2'), x), 4 * WIDTH));
    x = b.op('Add', [x, p.linear(name('down'), wide, WIDTH)]);
  }
  const mean = b.op('ReduceMean', [p.layerNorm('norm', x), b.ints([1])], { keepdims: 0 });
  b.output(p.classifier(mean, port.classes, port.output));
  return b.model('transformer');
}

/** softmax(Q K^T / sqrt(d)) V per head, from Q, K and V side by side, [N, T, 3 D]; no mask. */
function attention(b: GraphBuilder, qkv: string, steps: number): string {
  const each = WIDTH / HEADS;
  const heads = (value: string, perm: readonly number[]) =>
    b.op('Transpose', [b.op('Reshape', [value, b.ints([0, steps, HEADS, each])])], { perm });
  const [q, k, v] = b.ops('Split', [qkv, b.ints([WIDTH, WIDTH, WIDTH])], { axis: 2 }, { outputs: 3 }) as [
    string,
    string,
    string,
  ];
  const scores = b.op('MatMul', [heads(q, [0, 2, 1, 3]), heads(k, [0, 2, 3, 1])]);
  const shares = b.op('Softmax', [b.op('Mul', [scores, b.constant(1 / Math.sqrt(each))])], { axis: -1 });
  const seen = b.op('Transpose', [b.op('MatMul', [shares, heads(v, [0, 2, 1, 3])])], { perm: [0, 2, 1, 3] });
  return b.op('Reshape', [seen, b.ints([0, steps, WIDTH])]);
}

/** x/2 (1 + erf(x / sqrt(2))), as exporters write it below opset 20. */
function gelu(b: GraphBuilder, x: string): string {
  const inner = b.op('Erf', [b.op('Div', [x, b.constant(Math.SQRT2)])]);
  const product = b.op('Mul', [x, b.op('Add', [inner, b.constant(1)])]);
  return b.op('Mul', [product, b.constant(0.5)]);
}
