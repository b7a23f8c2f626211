import type { Windows } from './windows.ts';

/** Windows over two or three axes: libtensorflow has none over one. */
export type Frame = Omit<Windows, 'table' | 'taps' | 'positions'>;

/** The same windows with a first axis of one element where there is one axis only. */
export function framed({ input, kernel, output, strides, dilations, before, behind }: Windows): Frame {
  const frame = { input, kernel, output, strides, dilations, before, behind };
  if (input.length !== 1) return frame;
  // The stride of the added axis is never taken; unequal ones would miss the kernels for depthwise convolution.
  return {
    input: [1, ...input],
    kernel: [1, ...kernel],
    output: [1, ...output],
    strides: [strides[0]!, ...strides],
    dilations: [1, ...dilations],
    before: [0, ...before],
    behind: [0, ...behind],
  };
}

interface Framing {
  readonly padding: 'SAME' | 'VALID';
  /** What is to be added to [N, ...in, C] first; explicit pads would miss the fast kernels. */
  readonly pads?: [number, number][];
}

/** How libtensorflow is told of the pads (of windows that are not dilated). */
export function framing({ input, kernel, output, strides, before, behind }: Frame): Framing {
  const total = output.map((out, i) => Math.max(0, (out - 1) * strides[i]! + kernel[i]! - input[i]!));
  const same = total.every(
    (all, i) =>
      output[i] === Math.ceil(input[i]! / strides[i]!) &&
      before[i] === Math.floor(all / 2) &&
      // What lies behind the last window is never read.
      (behind[i] === Math.ceil(all / 2) || (before[i] === 0 && all === 0)),
  );
  if (total.some((all) => all > 0) && same) return { padding: 'SAME' };
  const added = before.map((low, i): [number, number] => [low, behind[i]!]);
  const none = added.every(([low, high]) => low === 0 && high === 0);
  return none ? { padding: 'VALID' } : { padding: 'VALID', pads: [[0, 0], ...added, [0, 0]] };
}
