import { firstExtreme } from '../emit/first-extreme.ts';

/** The smallest element over axes. https://onnx.ai/onnx/operators/onnx__ReduceMin.html */
export const reduceMin = firstExtreme('ReduceMin', 'ArgMin');
