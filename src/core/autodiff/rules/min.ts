import { firstWinner } from '../emit/first-winner.ts';

/** Elementwise smallest of all inputs. https://onnx.ai/onnx/operators/onnx__Min.html */
export const min = firstWinner('Min');
