import { reshaped } from '../emit/reshaped.ts';

/** y = x as a matrix, split before `axis`. https://onnx.ai/onnx/operators/onnx__Flatten.html */
export const flatten = reshaped('Flatten', [
  { name: 'default axis', inputs: [{ shape: [2, 3, 2] }] },
  { name: 'axis 0', inputs: [{ shape: [2, 3] }], attributes: { axis: 0 } },
  { name: 'negative axis', inputs: [{ shape: [2, 3, 2] }], attributes: { axis: -1 } },
  { name: 'axis behind the last', inputs: [{ shape: [2, 3] }], attributes: { axis: 2 } },
]);
