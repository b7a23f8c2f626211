import { float, floatAttribute, intAttribute } from '../../onnx/attributes.ts';
import type { GradientRule, RuleSample } from '../rule.ts';

const flags = [0, 1];

/** Every combination of transpositions, and every way the bias may broadcast. */
const samples: readonly RuleSample[] = [
  ...flags.flatMap((transA) =>
    flags.map((transB) => ({
      name: `transA ${transA}, transB ${transB}`,
      inputs: [{ shape: transA ? [3, 2] : [2, 3] }, { shape: transB ? [4, 3] : [3, 4] }, { shape: [4] }],
      attributes: { transA, transB, alpha: float(0.5), beta: float(-2) },
    })),
  ),
  { name: 'no bias', inputs: [{ shape: [2, 3] }, { shape: [3, 4] }] },
  ...[[], [1], [2, 1], [1, 4], [2, 4]].map((bias) => ({
    name: `bias [${bias}]`,
    inputs: [{ shape: [2, 3] }, { shape: [3, 4] }, { shape: bias }],
  })),
];

/**
 * Y = alpha op(A) op(B) + beta C, op = transpose or not. d op(A) = alpha dY op(B)^T, d op(B) = alpha op(A)^T dY,
 * dC = beta dY (summed where C was broadcast). https://onnx.ai/onnx/operators/onnx__Gemm.html
 */
export const gemm: GradientRule = {
  op: 'Gemm',
  differentiable: 'all',
  samples,
  backward: (c) => {
    const { b, node } = c;
    const [left, right, dy] = [c.x(0), c.x(1), c.dy(0)];
    const transA = intAttribute(node, 'transA', 0) !== 0;
    const transB = intAttribute(node, 'transB', 0) !== 0;
    const alpha = float(floatAttribute(node, 'alpha', 1));
    const beta = floatAttribute(node, 'beta', 1);
    const product = (p: string, q: string, turnP: boolean, turnQ: boolean) =>
      b.op('Gemm', [p, q], { transA: turnP ? 1 : 0, transB: turnQ ? 1 : 0, alpha });
    const dLeft = () => (transA ? product(right, dy, transB, true) : product(dy, right, false, !transB));
    const dRight = () => (transB ? product(dy, left, true, transA) : product(left, dy, !transA, false));
    return [
      c.wants(0) ? dLeft() : undefined,
      c.wants(1) ? dRight() : undefined,
      c.wants(2) ? (beta === 1 ? dy : b.op('Mul', [dy, b.constant(beta, b.dtype(dy))])) : undefined,
    ];
  },
};
