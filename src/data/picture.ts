import type { NDArray } from '../core/ndarray.ts';

/** How pictures of a column are stored; what is left out is decided by the first picture. */
export interface PictureWish {
  /** Height and width; other pictures are stretched to it. */
  readonly size?: readonly [number, number];
  readonly colour?: 'RGB' | 'grey';
}

/** Turns any picture into uint8 [H, W, C]. An adapter: libraries decode. */
export interface PictureDecoder {
  /** The pixels, or the reason there are none. Never throws for bad bytes. */
  decode(
    picture: { readonly encoded: Uint8Array } | NDArray,
    wish: PictureWish,
  ): Promise<NDArray | { readonly reason: string }>;
}

/** ITU-R 601-2 luma of RGB pixels, rounded as Pillow does: (19595 R + 38470 G + 7471 B + 32768) >> 16. */
export function toGrey(rgb: Uint8Array): Uint8Array {
  const grey = new Uint8Array(rgb.length / 3);
  for (let i = 0, j = 0; i < grey.length; i++, j += 3) {
    grey[i] = (19595 * rgb[j]! + 38470 * rgb[j + 1]! + 7471 * rgb[j + 2]! + 32768) >> 16;
  }
  return grey;
}

/** Grey pixels repeated into three channels. */
export function toRgb(grey: Uint8Array): Uint8Array {
  const rgb = new Uint8Array(grey.length * 3);
  for (let i = 0, j = 0; i < grey.length; i++, j += 3) rgb.fill(grey[i]!, j, j + 3);
  return rgb;
}
