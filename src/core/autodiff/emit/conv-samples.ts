import type { RuleSample } from '../rule.ts';

const sample = (
  name: string,
  x: readonly number[],
  w: readonly number[],
  attributes: RuleSample['attributes'] = {},
): RuleSample => ({ name, inputs: [{ shape: x }, { shape: w }], attributes });

const biased = (s: RuleSample, filters: number): RuleSample => ({
  ...s,
  inputs: [...s.inputs, { shape: [filters] }],
});

/** Every attribute of Conv and every formulation of its gradients. */
export const convSamples: readonly RuleSample[] = [
  biased(sample('padded, few channels', [2, 3, 5, 4], [4, 3, 3, 3], { pads: [1, 1, 1, 1] }), 4),
  biased(sample('padded, more channels', [2, 6, 5, 4], [4, 6, 3, 3], { pads: [1, 1, 1, 1] }), 4),
  sample('stride 2, rows left over', [2, 5, 6, 7], [3, 5, 3, 2], { strides: [2, 2] }),
  sample('stride 2, few channels, rows left over', [2, 2, 6, 7], [3, 2, 3, 2], { strides: [2, 2] }),
  sample('stride 3, much left over', [1, 5, 9, 9], [2, 5, 2, 1], { strides: [3, 4] }),
  sample('dilation and asymmetric pads', [1, 5, 6, 6], [2, 5, 3, 2], {
    dilations: [2, 3],
    pads: [2, 0, 1, 3],
  }),
  sample('stride and dilation', [1, 5, 8, 7], [2, 5, 3, 2], {
    strides: [2, 1],
    dilations: [2, 3],
    pads: [1, 0, 0, 2],
  }),
  sample('pads beyond the kernel', [1, 5, 3, 3], [2, 5, 2, 2], { pads: [2, 3, 2, 0] }),
  sample('pointwise', [2, 3, 3, 4], [4, 3, 1, 1]),
  sample('pointwise, one image', [1, 3, 3, 4], [4, 3, 1, 1]),
  sample('pointwise, stride 2', [2, 3, 4, 5], [4, 3, 1, 1], { strides: [2, 2] }),
  sample('pointwise, stride 2, odd sizes', [2, 3, 5, 3], [4, 3, 1, 1], { strides: [2, 2] }),
  sample('pointwise, padded', [1, 3, 2, 2], [2, 3, 1, 1], { pads: [1, 0, 0, 1] }),
  sample('two groups', [2, 4, 4, 4], [6, 2, 3, 3], { group: 2, pads: [1, 1, 1, 1] }),
  sample('two groups, stride 2', [2, 6, 5, 5], [4, 3, 3, 3], { group: 2, strides: [2, 2] }),
  sample('depthwise', [2, 3, 4, 5], [3, 1, 3, 3], { group: 3, pads: [1, 1, 1, 1] }),
  sample('depthwise, stride 2, multiplier 2', [2, 3, 5, 5], [6, 1, 3, 3], { group: 3, strides: [2, 2] }),
  sample('same upper', [1, 5, 5, 6], [2, 5, 2, 3], { auto_pad: 'SAME_UPPER', strides: [2, 2] }),
  sample('same lower', [1, 5, 5, 6], [2, 5, 2, 3], { auto_pad: 'SAME_LOWER', strides: [2, 1] }),
  sample('valid', [1, 5, 5, 6], [2, 5, 2, 3], { auto_pad: 'VALID' }),
  sample('whole image', [2, 5, 3, 3], [4, 5, 3, 3]),
  biased(sample('1-D', [2, 5, 9], [3, 5, 3], { strides: [2], pads: [1, 2], dilations: [2] }), 3),
  sample('1-D, few channels', [2, 2, 9], [3, 2, 3], { strides: [2], pads: [1, 2] }),
  biased(sample('3-D', [2, 5, 3, 4, 3], [3, 5, 2, 3, 2], { pads: [1, 1, 0, 0, 1, 1] }), 3),
  sample('3-D, dilated', [1, 2, 4, 4, 6], [2, 2, 2, 2, 3], {
    dilations: [2, 1, 2],
    pads: [0, 1, 1, 0, 0, 2],
  }),
  sample('3-D, stride 2, groups', [1, 4, 5, 4, 4], [4, 2, 2, 2, 3], { group: 2, strides: [2, 1, 2] }),
];
