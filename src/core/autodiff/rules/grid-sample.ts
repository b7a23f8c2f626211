import { gridSample as composition } from '../compositions/grid-sample.ts';
import type { GradientRule, RuleSample } from '../rule.ts';

/** Where a picture of 2 x 3 has its kinks: at its pixels, counted either way, and at its edges. */
const KINKS = [-1.5, -4 / 3, -1, -2 / 3, -0.5, 0, 0.5, 2 / 3, 1, 4 / 3, 1.5];

/**
 * y = x interpolated at the places of a grid: the gradients are those of the gathers and weights it is made of. In mode
 * nearest the grid has none. https://onnx.ai/onnx/operators/onnx__GridSample.html
 */
export const gridSample: GradientRule = {
  op: 'GridSample',
  differentiable: 'all',
  samples: samples(),
  backward: (c) => c.through(composition),
};

function samples(): RuleSample[] {
  const sample = (mode: string, padding: string, corners: 0 | 1): RuleSample => ({
    name: `${mode}, ${padding}, corners ${corners ? 'aligned' : 'not aligned'}`,
    inputs: [{ shape: [2, 2, 2, 3] }, { shape: [2, 2, 3, 2], range: [-1.4, 1.4], away: KINKS }],
    attributes: { mode, padding_mode: padding, align_corners: corners },
  });
  // Rounding bends nowhere near these places.
  const fixed = [-0.9, -0.62, -0.3, 0.13, 0.38, 0.9, 0.63, -0.37, -1.37, 0.12, 1.29, 1.36];
  const nearest = (padding: string, corners: 0 | 1): RuleSample => ({
    ...sample('nearest', padding, corners),
    inputs: [{ shape: [2, 2, 4, 5] }, { constant: [...fixed, ...fixed.toReversed()], shape: [2, 2, 3, 2] }],
  });
  return ['zeros', 'border', 'reflection'].flatMap((padding) =>
    ([0, 1] as const).flatMap((corners) => [sample('bilinear', padding, corners), nearest(padding, corners)]),
  );
}
