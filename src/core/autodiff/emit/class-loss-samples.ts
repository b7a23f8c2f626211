import type { RuleSample } from '../rule.ts';

const labels = (constant: readonly number[], shape: readonly number[] = [constant.length]) => ({
  constant,
  shape,
  dtype: 'int64' as const,
});

/** Labels, weights, ignored labels, reductions and spatial dimensions of the class losses. */
export function classLossSamples(outputs: number): RuleSample[] {
  const weights = { constant: [0.5, 2, 1], dtype: 'float32' as const };
  const list: RuleSample[] = [
    { name: 'mean by default', inputs: [{ shape: [4, 3] }, labels([0, 2, 1, 2])] },
    { name: 'sum', inputs: [{ shape: [2, 3] }, labels([0, 2])], attributes: { reduction: 'sum' } },
    { name: 'none', inputs: [{ shape: [2, 3] }, labels([0, 2])], attributes: { reduction: 'none' } },
    { name: 'weighted mean', inputs: [{ shape: [4, 3] }, labels([0, 2, 1, 2]), weights] },
    {
      name: 'weighted, one label ignored',
      inputs: [{ shape: [4, 3] }, labels([0, 2, -1, 2]), weights],
      attributes: { ignore_index: -1 },
    },
    {
      name: 'pixels, one class ignored, mean',
      inputs: [{ shape: [2, 3, 2, 2] }, labels([0, 2, 1, 2, 1, 1, 0, 2], [2, 2, 2])],
      attributes: { ignore_index: 1 },
    },
    {
      name: 'pixels, weighted, none',
      inputs: [{ shape: [2, 3, 2] }, labels([0, 2, 1, 2], [2, 2]), weights],
      attributes: { reduction: 'none' },
    },
  ];
  return list.map((sample) => ({ ...sample, outputs }));
}
