import { reshaped } from '../emit/reshaped.ts';

/** y = x with new dimensions of one. https://onnx.ai/onnx/operators/onnx__Unsqueeze.html */
export const unsqueeze = reshaped('Unsqueeze', [
  { name: 'front', inputs: [{ shape: [2, 3] }, { constant: [0], dtype: 'int64' }] },
  { name: 'several, negative', inputs: [{ shape: [2, 3] }, { constant: [1, -1], dtype: 'int64' }] },
  { name: 'a scalar', inputs: [{ shape: [] }, { constant: [0], dtype: 'int64' }] },
]);
