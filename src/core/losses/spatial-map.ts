import type { GraphBuilder } from '../onnx/builder.ts';
import type { NumberArray, ObjectiveParts } from './features.ts';

/** A trained 3x3 convolution to `to` channels that keeps height and width, with bias; He-normal, biases at 0. */
export function spatialMap(
  b: GraphBuilder,
  x: string,
  to: number,
  own: ObjectiveParts,
  name: string,
): string {
  const from = b.dims(x)[1]!;
  const std = Math.sqrt(2 / (9 * from));
  const weight = own.parameter(`${name}.weight`, own.normal(`${name}.weight`, [to, from, 3, 3], std));
  const bias = own.parameter(`${name}.bias`, own.normal(`${name}.bias`, [to], 0));
  return b.op('Conv', [x, weight, bias], { kernel_shape: [3, 3], pads: [1, 1, 1, 1] });
}

/** Plain-number twin of `spatialMap` for one row, [positions][channels] of a map `width` wide. */
export function spatialMapOf(
  own: Readonly<Record<string, NumberArray>>,
  name: string,
): (positions: readonly (readonly number[])[], width: number) => number[][] {
  const [weight, bias] = [own[`${name}.weight`]!, own[`${name}.bias`]!];
  const from = weight.dims[1]!;
  return (positions, width) => {
    const height = positions.length / width;
    return positions.map((_, p) => {
      const [row, column] = [Math.floor(p / width), p % width];
      return bias.data.map((start, o) => {
        let sum = start;
        for (let tap = 0; tap < 9; tap++) {
          const [y, x] = [row + Math.floor(tap / 3) - 1, column + (tap % 3) - 1];
          if (y < 0 || y >= height || x < 0 || x >= width) continue;
          positions[y * width + x]!.forEach((v, i) => {
            sum += v * weight.data[(o * from + i) * 9 + tap]!;
          });
        }
        return sum;
      });
    });
  };
}
