import { intAttribute, stringAttribute } from '../../onnx/attributes.ts';
import type { GradientRule } from '../rule.ts';

/**
 * x [N, C b b, H, W] to y [N, C, H b, W b]: the channel index holds the place in a b x b block, before the channel (DCR) or
 * behind it (CRD). dx = dy moved back. https://onnx.ai/onnx/operators/onnx__DepthToSpace.html
 */
export const depthToSpace: GradientRule = {
  op: 'DepthToSpace',
  differentiable: [0],
  samples: ['DCR', 'CRD'].map((mode) => ({
    name: mode,
    inputs: [{ shape: [2, 8, 2, 3] }],
    attributes: { blocksize: 2, mode },
  })),
  backward: (c) => {
    const { b } = c;
    const block = intAttribute(c.node, 'blocksize', 1);
    const dims = b.dims(c.x(0));
    const [n, channels, height, width] = dims as [number, number, number, number];
    const apart = [n, channels / (block * block), height, block, width, block];
    const perm = stringAttribute(c.node, 'mode', 'DCR') === 'CRD' ? [0, 1, 3, 5, 2, 4] : [0, 3, 5, 1, 2, 4];
    const moved = b.op('Transpose', [b.op('Reshape', [c.dy(0), b.ints(apart)])], { perm });
    return [b.op('Reshape', [moved, b.ints(dims)])];
  },
};
