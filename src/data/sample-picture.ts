import { type Affine, isGrid } from './affine.ts';
import type { InputPlan } from './preprocess.ts';

/** Writes normalised pictures into a batch. Built once per input: its tables hold every byte's value per channel. */
export class PictureWriter {
  readonly #height: number;
  readonly #width: number;
  readonly #channels: number;
  /** Output channel c comes from input channel source[c]. */
  readonly #source: readonly number[];
  /** value[256 c + byte]: (byte * scale - mean) / std. */
  readonly #table: Float32Array;
  readonly #plan: InputPlan;
  /** Steps between neighbours of a channel, and between channels, in the output. */
  readonly #step: number;
  readonly #plane: number;

  constructor(plan: InputPlan) {
    const [height, width, channels] = plan.picture!;
    this.#height = height;
    this.#width = width;
    this.#channels = channels;
    this.#plan = plan;
    this.#source = Array.from({ length: channels }, (_, c) => (plan.isBgr ? channels - 1 - c : c));
    this.#step = plan.layout === 'NCHW' ? 1 : channels;
    this.#plane = plan.layout === 'NCHW' ? height * width : 1;
    this.#table = new Float32Array(256 * channels);
    for (let c = 0; c < channels; c++) {
      for (let byte = 0; byte < 256; byte++) this.#table[256 * c + byte] = this.#normalise(byte, c);
    }
  }

  /** (x * scale - mean) / std; means and deviations are listed in the order of the output's channels. */
  #normalise(x: number, channel: number): number {
    const { scale, mean, std } = this.#plan;
    return (x * scale - (mean[channel] ?? mean[0]!)) / (std[channel] ?? std[0]!);
  }

  /** The picture `raw[at..]` ([H, W, C] bytes) seen through `map`, to `out[to..]`; zero bytes lie outside. */
  write(raw: Uint8Array, at: number, map: Affine, out: Float32Array | Uint8ClampedArray, to: number): void {
    if (isGrid(map)) this.#gather(raw, at, map, out, to);
    else this.#sample(raw, at, map, out, to);
  }

  #gather(raw: Uint8Array, at: number, map: Affine, out: Float32Array | Uint8ClampedArray, to: number): void {
    const height = this.#height;
    const width = this.#width;
    const channels = this.#channels;
    const [a, , c0, , e, f] = map;
    const table = this.#table;
    const step = this.#step;
    // Outputs x in [left, right) come from inside.
    const left = Math.min(width, Math.max(0, a === 1 ? -c0 : c0 - (width - 1)));
    const right = Math.max(left, Math.min(width, a === 1 ? width - c0 : c0 + 1));
    const stride = a * channels;
    for (let c = 0; c < channels; c++) {
      const base = 256 * c;
      const outside = table[base]!;
      let o = to + c * this.#plane;
      for (let y = 0; y < height; y++) {
        const sy = e * y + f;
        if (sy < 0 || sy >= height) {
          for (let x = 0; x < width; x++, o += step) out[o] = outside;
          continue;
        }
        let x = 0;
        for (; x < left; x++, o += step) out[o] = outside;
        let s = at + (sy * width + a * left + c0) * channels + this.#source[c]!;
        for (; x < right; x++, o += step, s += stride) out[o] = table[base + raw[s]!]!;
        for (; x < width; x++, o += step) out[o] = outside;
      }
    }
  }

  /** Bilinear, each of the four neighbours outside counting as zero. */
  #sample(raw: Uint8Array, at: number, map: Affine, out: Float32Array | Uint8ClampedArray, to: number): void {
    const height = this.#height;
    const width = this.#width;
    const channels = this.#channels;
    const [a, b, c0, d, e, f] = map;
    for (let y = 0; y < height; y++) {
      for (let x = 0; x < width; x++) {
        const sx = a * x + b * y + c0;
        const sy = d * x + e * y + f;
        const x0 = Math.floor(sx);
        const y0 = Math.floor(sy);
        const wx = sx - x0;
        const wy = sy - y0;
        const inLeft = x0 >= 0 && x0 < width;
        const inRight = x0 >= -1 && x0 < width - 1;
        const inTop = y0 >= 0 && y0 < height;
        const inBottom = y0 >= -1 && y0 < height - 1;
        const o = to + (y * width + x) * this.#step;
        for (let c = 0; c < channels; c++) {
          const s = at + (y0 * width + x0) * channels + this.#source[c]!;
          const topLeft = inTop && inLeft ? raw[s]! : 0;
          const topRight = inTop && inRight ? raw[s + channels]! : 0;
          const bottomLeft = inBottom && inLeft ? raw[s + width * channels]! : 0;
          const bottomRight = inBottom && inRight ? raw[s + (width + 1) * channels]! : 0;
          const top = topLeft + wx * (topRight - topLeft);
          const bottom = bottomLeft + wx * (bottomRight - bottomLeft);
          out[o + c * this.#plane] = this.#normalise(top + wy * (bottom - top), c);
        }
      }
    }
  }
}
