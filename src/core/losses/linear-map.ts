import type { GraphBuilder } from '../onnx/builder.ts';
import { channelAxis } from './feature-shapes.ts';
import type { NumberArray, ObjectiveParts } from './features.ts';

/**
 * A trained linear map of channels to `to` channels, with bias: a 1x1 convolution on maps [B, C, H, W], else a matrix
 * product over the last axis. Weights start He-normal, std = sqrt(2 / channels in), biases at 0.
 */
export function linearMap(b: GraphBuilder, x: string, to: number, own: ObjectiveParts, name: string): string {
  const dims = b.dims(x);
  const isMap = dims.length === 4;
  const from = dims[channelAxis(dims)]!;
  const shape = isMap ? [to, from, 1, 1] : [from, to];
  const weight = own.parameter(`${name}.weight`, own.normal(`${name}.weight`, shape, Math.sqrt(2 / from)));
  const bias = own.parameter(`${name}.bias`, own.normal(`${name}.bias`, [to], 0));
  if (isMap) return b.op('Conv', [x, weight, bias], { kernel_shape: [1, 1] });
  return b.op('Add', [b.op('MatMul', [x, weight]), bias]);
}

/** Plain-number twin of `linearMap` for the channels of one position. */
export function linearMapOf(
  own: Readonly<Record<string, NumberArray>>,
  name: string,
): (channels: readonly number[]) => number[] {
  const [weight, bias] = [own[`${name}.weight`]!, own[`${name}.bias`]!];
  const to = bias.data.length;
  const from = weight.data.length / to;
  const at =
    weight.dims.length === 4 ? (i: number, o: number) => o * from + i : (i: number, o: number) => i * to + o;
  return (channels) =>
    bias.data.map((start, o) => channels.reduce((sum, v, i) => sum + v * weight.data[at(i, o)]!, start));
}
