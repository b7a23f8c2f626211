import { firstExtreme } from '../emit/first-extreme.ts';

/** The largest element over axes. https://onnx.ai/onnx/operators/onnx__ReduceMax.html */
export const reduceMax = firstExtreme('ReduceMax', 'ArgMax');
