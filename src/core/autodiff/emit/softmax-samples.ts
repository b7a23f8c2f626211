import type { RuleSample } from '../rule.ts';

/** Every kind of axis: last by default, first, middle, negative, and one of length one. */
export const softmaxSamples: readonly RuleSample[] = [
  { name: 'default axis', inputs: [{ shape: [3, 4], range: [-2, 2] }] },
  { name: 'first axis', inputs: [{ shape: [3, 2], range: [-2, 2] }], attributes: { axis: 0 } },
  { name: 'middle axis', inputs: [{ shape: [2, 3, 2], range: [-2, 2] }], attributes: { axis: 1 } },
  { name: 'negative axis', inputs: [{ shape: [2, 3, 2], range: [-2, 2] }], attributes: { axis: -2 } },
  { name: 'axis of length one', inputs: [{ shape: [2, 1], range: [-2, 2] }], attributes: { axis: 1 } },
];
