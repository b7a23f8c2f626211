import { intAttribute } from '../../onnx/attributes.ts';
import type { GradientRule } from '../rule.ts';

/**
 * x [N, C, H b, W b] to y [N, b b C, H, W], the inverse of DepthToSpace in mode DCR, which gives dx from dy.
 * https://onnx.ai/onnx/operators/onnx__SpaceToDepth.html
 */
export const spaceToDepth: GradientRule = {
  op: 'SpaceToDepth',
  differentiable: [0],
  samples: [{ name: 'blocks of two', inputs: [{ shape: [2, 2, 4, 2] }], attributes: { blocksize: 2 } }],
  backward: (c) => [
    c.b.op('DepthToSpace', [c.dy(0)], { blocksize: intAttribute(c.node, 'blocksize', 1), mode: 'DCR' }),
  ],
};
