import { reshaped } from '../emit/reshaped.ts';

/** y = x without dimensions of one. https://onnx.ai/onnx/operators/onnx__Squeeze.html */
export const squeeze = reshaped('Squeeze', [
  { name: 'all', inputs: [{ shape: [1, 3, 1] }] },
  { name: 'one axis', inputs: [{ shape: [1, 3, 1] }, { constant: [0], dtype: 'int64' }] },
  { name: 'negative axis', inputs: [{ shape: [1, 3, 1] }, { constant: [-1], dtype: 'int64' }] },
]);
