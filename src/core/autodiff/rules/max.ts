import { firstWinner } from '../emit/first-winner.ts';

/** Elementwise largest of all inputs. https://onnx.ai/onnx/operators/onnx__Max.html */
export const max = firstWinner('Max');
