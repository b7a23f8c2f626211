import { GraphBuilder } from '../onnx/builder.ts';
import type { Model } from '../onnx/model.ts';
import { Layers } from './layers.ts';
import type { StudentPort } from './student.ts';

/** Wraps a body (input value to logits) into a student model with a dynamic batch 'N'. */
export function studentModel(
  name: string,
  port: StudentPort,
  seed: number,
  body: (layers: Layers, input: string) => void,
): Model {
  const b = new GraphBuilder();
  const input = b.input(port.input, 'float32', ['N', ...port.inputShape]);
  body(new Layers(b, seed), input);
  b.output(port.output);
  return b.model(name);
}

/** Why a picture network cannot read this port, or undefined. */
export function refusesUnlessPicture(port: StudentPort): string | undefined {
  if (port.inputShape.length === 3) return undefined;
  return `needs pictures [N, C, H, W]; the teacher reads [N, ${port.inputShape.join(', ')}]`;
}

/** Channels scaled by a width factor, to a multiple of 8 that is never below 90 % of the wish (Sandler et al. 2018). */
export function scaledChannels(channels: number, width: number): number {
  const wish = channels * width;
  const rounded = Math.max(8, Math.floor((wish + 4) / 8) * 8);
  return rounded < 0.9 * wish ? rounded + 8 : rounded;
}

/** Stride of the stem that brings large pictures down to about 32-64 pixels before the residual stages. */
export const stemStride = (height: number): number => (height <= 64 ? 1 : height <= 128 ? 2 : 4);
