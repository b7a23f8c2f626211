import { intAttribute } from '../attributes.ts';
import type { Dim, Shape } from '../model.ts';
import { dtypeOf, misfit, rankedShape, shapeOf, sharedDtype } from './context.ts';
import { define, fed, sample, scalar } from './define.ts';
import { broadcastShapes, isKnown, isStatic, productOf, showShape, unify } from './dims.ts';
import type { InferContext, OpDefinition, ValueType } from './op.ts';

/** Matrix products, numpy rules. https://onnx.ai/onnx/operators/onnx__MatMul.html, onnx__Gemm.html */

/** The last two axes exchanged, which only com.microsoft's products ask for. */
const turned = (shape: Shape | undefined, asked: number): Shape | undefined =>
  shape && asked && shape.length > 1 ? [...shape.slice(0, -2), shape.at(-1)!, shape.at(-2)!] : shape;

/** [..., m, k] x [..., k, n] -> [..., m, n]; vectors are promoted and their axis dropped again. */
function productShape(c: InferContext, left: number, right: number): Shape | undefined {
  const a = turned(rankedShape(c, left, 1), intAttribute(c.node, 'transA', 0));
  const b = turned(rankedShape(c, right, 1), intAttribute(c.node, 'transB', 0));
  if (!a || !b) return undefined;
  const p = a.length === 1 ? [1, a[0]!] : a;
  const q = b.length === 1 ? [b[0]!, 1] : b;
  const lead = broadcastShapes([p.slice(0, -2), q.slice(0, -2)]);
  if (!lead || unify(p.at(-1)!, q.at(-2)!) === undefined) {
    misfit(c, `${showShape(a)} and ${showShape(b)} cannot be multiplied`);
  }
  return [...lead, ...(a.length === 1 ? [] : [p.at(-2)!]), ...(b.length === 1 ? [] : [q.at(-1)!])];
}

/** Inner dimension times output elements. */
const productMacs =
  (left: number) =>
  (c: InferContext, outputs: readonly ValueType[]): number => {
    const inner = shapeOf(c, left)?.at(intAttribute(c.node, 'transA', 0) ? -2 : -1);
    const y = outputs[0]?.shape;
    return isKnown(inner) && isStatic(y) ? (productOf([...y, inner]) as number) : 0;
  };

function gemmShape(c: InferContext): Shape | undefined {
  const a = rankedShape(c, 0, 2, 2);
  const b = rankedShape(c, 1, 2, 2);
  const turn = (shape: Shape | undefined, name: string): readonly Dim[] =>
    shape ? (intAttribute(c.node, name, 0) ? [shape[1]!, shape[0]!] : shape) : ['', ''];
  const p = turn(a, 'transA');
  const q = turn(b, 'transB');
  if (unify(p[1]!, q[0]!) === undefined) {
    misfit(c, `${showShape(a)} and ${showShape(b)} cannot be multiplied (transA, transB as given)`);
  }
  const out = [p[0]!, q[1]!];
  const bias = shapeOf(c, 2);
  const fits = !bias || broadcastShapes([bias, out])?.every((dim, i) => unify(dim, out[i]!) !== undefined);
  if (!fits || (bias && bias.length > 2)) misfit(c, `bias ${showShape(bias)} does not fit ${showShape(out)}`);
  return out;
}

function gemmMacs(c: InferContext, outputs: readonly ValueType[]): number {
  const inner = shapeOf(c, 0)?.[intAttribute(c.node, 'transA', 0) ? 0 : 1];
  const y = outputs[0]?.shape;
  return isKnown(inner) && isStatic(y) ? (productOf([...y, inner]) as number) : 0;
}

const samples = {
  FusedGemm: [sample([[2, 3], [4, 3], [4]], { transB: 1, activation: 'Relu' })],
  FusedMatMul: [
    sample([
      [2, 3, 4],
      [2, 4, 5],
    ]),
    sample(
      [
        [2, 4, 3],
        [5, 4],
      ],
      { transA: 1, transB: 1 },
    ),
  ],
  Gemm: [
    sample([[4, 2], [5, 4], [5]], { transA: 1, transB: 1 }),
    sample([
      [2, 4],
      [4, 5],
      [2, 1],
    ]),
  ],
  TransposeMatMul: [
    sample(
      [
        [2, 4, 3],
        [4, 5],
      ],
      { transA: 1 },
    ),
  ],
  MatMul: [
    sample([
      [2, 3, 4],
      [4, 5],
    ]),
    sample([[4], [3, 4, 5]]),
    sample([
      [2, 1, 3, 4],
      [5, 4, 6],
    ]),
    sample([[4], [4]]),
  ],
  MatMulInteger: [sample([fed('uint8', [2, 3]), fed('uint8', [3, 4])])],
  QLinearMatMul: [
    sample([
      fed('uint8', [2, 3]),
      scalar('float32', 0.1),
      scalar('uint8', 0),
      fed('uint8', [3, 4]),
      scalar('float32', 0.1),
      scalar('uint8', 0),
      scalar('float32', 0.1),
      scalar('uint8', 0),
    ]),
  ],
};

export const matMul = define(
  [
    {
      op: 'Gemm',
      infer: (c) => [{ dtype: sharedDtype(c, [0, 1, 2]), shape: gemmShape(c) }],
      macs: gemmMacs,
    },
    {
      op: 'FusedGemm',
      domain: 'com.microsoft',
      infer: (c) => [{ dtype: sharedDtype(c, [0, 1, 2]), shape: gemmShape(c) }],
      macs: gemmMacs,
    },
    ...['FusedMatMul', 'TransposeMatMul'].map(
      (op): OpDefinition => ({
        op,
        domain: 'com.microsoft',
        infer: (c) => [{ dtype: sharedDtype(c, [0, 1]), shape: productShape(c, 0, 1) }],
        macs: productMacs(0),
      }),
    ),
    {
      op: 'MatMul',
      infer: (c) => [{ dtype: sharedDtype(c, [0, 1]), shape: productShape(c, 0, 1) }],
      macs: productMacs(0),
    },
    {
      op: 'MatMulInteger',
      infer: (c) => [{ dtype: 'int32', shape: productShape(c, 0, 1) }],
      macs: productMacs(0),
    },
    {
      op: 'QLinearMatMul',
      infer: (c) => [{ dtype: dtypeOf(c, 7), shape: productShape(c, 0, 3) }],
      macs: productMacs(0),
    },
  ],
  samples,
);
