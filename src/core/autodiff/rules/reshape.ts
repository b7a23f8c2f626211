import { reshaped } from '../emit/reshaped.ts';

/** y = x in other dimensions of the same size. https://onnx.ai/onnx/operators/onnx__Reshape.html */
export const reshape = reshaped('Reshape', [
  { name: 'merged', inputs: [{ shape: [2, 3, 2] }, { constant: [2, 6], dtype: 'int64' }] },
  { name: 'inferred and copied', inputs: [{ shape: [2, 3, 2] }, { constant: [0, -1], dtype: 'int64' }] },
  { name: 'to a scalar', inputs: [{ shape: [1, 1] }, { constant: [], shape: [0], dtype: 'int64' }] },
  { name: 'from a scalar', inputs: [{ shape: [] }, { constant: [1, 1], dtype: 'int64' }] },
]);
