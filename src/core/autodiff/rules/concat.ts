import { axisAttribute } from '../emit/axis.ts';
import type { GradientRule } from '../rule.ts';

/**
 * y = the inputs one after another along an axis; each gets its stretch of dy: one Split, or a Slice where only some
 * inputs are asked for. https://onnx.ai/onnx/operators/onnx__Concat.html
 */
export const concat: GradientRule = {
  op: 'Concat',
  differentiable: 'all',
  samples: [
    { name: 'one input', inputs: [{ shape: [2, 3] }], attributes: { axis: 0 } },
    {
      name: 'three inputs along channels',
      inputs: [{ shape: [2, 1, 2] }, { shape: [2, 3, 2] }, { shape: [2, 2, 2] }],
      attributes: { axis: 1 },
    },
    { name: 'negative axis', inputs: [{ shape: [2, 1] }, { shape: [2, 3] }], attributes: { axis: -1 } },
    {
      name: 'beside a constant',
      inputs: [{ constant: [1, 2, 3, 4], shape: [2, 2], dtype: 'float32' }, { shape: [2, 3] }],
      attributes: { axis: 1 },
    },
  ],
  backward: (c) => {
    const { b, node } = c;
    const axis = axisAttribute(c, 0);
    if (node.inputs.length === 1) return [c.dy(0)];
    const sizes = node.inputs.map((name) => b.dims(name)[axis]!);
    if (node.inputs.every((_, i) => c.wants(i))) {
      return b.ops('Split', [c.dy(0), b.ints(sizes)], { axis }, { outputs: sizes.length });
    }
    let end = 0;
    return node.inputs.map((_, i) => {
      const start = end;
      end += sizes[i]!;
      if (!c.wants(i)) return undefined;
      return b.op('Slice', [c.dy(0), b.ints([start]), b.ints([end]), b.ints([axis])]);
    });
  },
};
