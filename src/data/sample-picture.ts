import { type Affine, isGrid } from './affine.ts';
import type { InputPlan } from './preprocess.ts';

type Pixels = Float32Array | Uint8ClampedArray;

/** Writes normalised pictures into a batch. Built once per input: its tables hold every byte's value per channel. */
export class PictureWriter {
  readonly #height: number;
  readonly #width: number;
  readonly #channels: number;
  /** Output channel c comes from input channel source[c]. */
  readonly #source: readonly number[];
  /** value[256 c + byte]: (byte * scale - mean) / std. */
  readonly #table: Float32Array;
  /** The same as slope and offset per channel, for values between bytes. */
  readonly #slope: readonly number[];
  readonly #offset: readonly number[];
  /** Steps between neighbours of a channel, and between channels, in the output. */
  readonly #step: number;
  readonly #plane: number;

  constructor({ picture, isBgr, layout, scale, mean, std }: InputPlan) {
    const [height, width, channels] = picture!;
    this.#height = height;
    this.#width = width;
    this.#channels = channels;
    this.#source = Array.from({ length: channels }, (_, c) => (isBgr ? channels - 1 - c : c));
    this.#step = layout === 'NCHW' ? 1 : channels;
    this.#plane = layout === 'NCHW' ? height * width : 1;
    const meanOf = (c: number): number => mean[c] ?? mean[0]!;
    const stdOf = (c: number): number => std[c] ?? std[0]!;
    this.#slope = this.#source.map((_, c) => scale / stdOf(c));
    this.#offset = this.#source.map((_, c) => -meanOf(c) / stdOf(c));
    this.#table = Float32Array.from({ length: 256 * channels }, (_, i) => {
      const c = i >> 8;
      return ((i & 255) * scale - meanOf(c)) / stdOf(c);
    });
  }

  /** The picture `raw[at..]` ([H, W, C] bytes) seen through `map`, to `out[to..]`; zero bytes lie outside. */
  write(raw: Uint8Array, at: number, map: Affine, out: Pixels, to: number): void {
    if (isGrid(map)) this.#gather(raw, at, map, out, to);
    else this.#sample(raw, at, map, out, to);
  }

  /** Shifts and flips: one table look-up per value. `| 0` keeps the indexes integers for the compiler (-0 is none). */
  #gather(raw: Uint8Array, at: number, map: Affine, out: Pixels, to: number): void {
    const height = this.#height;
    const width = this.#width;
    const channels = this.#channels;
    const flipX = map[0] | 0;
    const shiftX = map[2] | 0;
    const flipY = map[4] | 0;
    const shiftY = map[5] | 0;
    // Outputs x in [left, right) come from inside.
    const left = Math.min(width, Math.max(0, flipX > 0 ? -shiftX : shiftX - width + 1)) | 0;
    const right = Math.max(left, Math.min(width, flipX > 0 ? width - shiftX : shiftX + 1)) | 0;
    const rowOf = channels === 3 ? gatherRow3 : gatherRow1;
    const [r = 0, g = 0, b = 0] = this.#source;
    for (let y = 0; y < height; y++) {
      const sy = (flipY * y + shiftY) | 0;
      const isInside = sy >= 0 && sy < height;
      const from = (at + (sy * width + flipX * left + shiftX) * channels) | 0;
      const target = to + y * width * this.#step;
      const end = isInside ? right : left;
      rowOf(
        this.#table,
        raw,
        from,
        flipX * channels,
        r,
        g,
        b,
        out,
        target,
        this.#step,
        this.#plane,
        left,
        end,
        width,
      );
    }
  }

  /** Bilinear, each of the four neighbours outside counting as zero. */
  #sample(raw: Uint8Array, at: number, map: Affine, out: Pixels, to: number): void {
    const height = this.#height;
    const width = this.#width;
    const channels = this.#channels;
    const step = this.#step;
    const plane = this.#plane;
    const source = this.#source;
    const slope = this.#slope;
    const offset = this.#offset;
    const [a, b, c0, d, e, f] = map;
    for (let y = 0; y < height; y++) {
      for (let x = 0; x < width; x++) {
        const sx = a * x + b * y + c0;
        const sy = d * x + e * y + f;
        const x0 = Math.floor(sx) | 0;
        const y0 = Math.floor(sy) | 0;
        const wx = sx - x0;
        const wy = sy - y0;
        const left = x0 >= 0 && x0 < width ? 1 - wx : 0;
        const right = x0 >= -1 && x0 < width - 1 ? wx : 0;
        const top = y0 >= 0 && y0 < height ? 1 - wy : 0;
        const bottom = y0 >= -1 && y0 < height - 1 ? wy : 0;
        // A neighbour outside has weight 0 and is looked up at some place inside.
        const column = left > 0 ? x0 : 0;
        const next = right > 0 ? x0 + 1 : 0;
        const row = top > 0 ? y0 : 0;
        const below = bottom > 0 ? y0 + 1 : 0;
        const o = to + (y * width + x) * step;
        const topLeft = at + (row * width + column) * channels;
        const topRight = at + (row * width + next) * channels;
        const bottomLeft = at + (below * width + column) * channels;
        const bottomRight = at + (below * width + next) * channels;
        for (let c = 0; c < channels; c++) {
          const s = source[c]!;
          const upper = left * raw[topLeft + s]! + right * raw[topRight + s]!;
          const lower = left * raw[bottomLeft + s]! + right * raw[bottomRight + s]!;
          out[o + c * plane] = (top * upper + bottom * lower) * slope[c]! + offset[c]!;
        }
      }
    }
  }
}

/** One row of one channel: outside up to `left`, from `raw[from]` in steps of `stride` up to `right`, outside after. */
function gatherRow1(
  table: Float32Array,
  raw: Uint8Array,
  from: number,
  stride: number,
  _r: number,
  _g: number,
  _b: number,
  out: Pixels,
  to: number,
  step: number,
  _plane: number,
  left: number,
  right: number,
  width: number,
): void {
  let s = from;
  let o = to;
  for (let x = 0; x < left; x++, o += step) out[o] = table[0]!;
  for (let x = left; x < right; x++, o += step, s += stride) out[o] = table[raw[s]!]!;
  for (let x = right; x < width; x++, o += step) out[o] = table[0]!;
}

/** The same for three channels side by side, which reads every byte in its order. */
function gatherRow3(
  table: Float32Array,
  raw: Uint8Array,
  from: number,
  stride: number,
  r: number,
  g: number,
  b: number,
  out: Pixels,
  to: number,
  step: number,
  plane: number,
  left: number,
  right: number,
  width: number,
): void {
  let s = from;
  let o = to;
  for (let x = 0; x < width; x++, o += step) {
    if (x < left || x >= right) {
      out[o] = table[0]!;
      out[o + plane] = table[256]!;
      out[o + 2 * plane] = table[512]!;
      continue;
    }
    out[o] = table[raw[s + r]!]!;
    out[o + plane] = table[256 + raw[s + g]!]!;
    out[o + 2 * plane] = table[512 + raw[s + b]!]!;
    s += stride;
  }
}
