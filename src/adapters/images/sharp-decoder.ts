import sharp, { type Sharp } from 'sharp';
import type { NDArray } from '../../core/ndarray.ts';
import { type PictureDecoder, type PictureWish, toGrey, toRgb } from '../../data/picture.ts';

export interface SharpOptions {
  /** Larger pictures are refused before they are decoded. */
  readonly maxPixels?: number;
}

/**
 * Pictures by sharp (libvips): JPEG, PNG, WebP, GIF (first frame), TIFF; upright by EXIF, alpha dropped, 8-bit sRGB.
 * Resizing stretches with sharp's default Lanczos kernel.
 */
export function sharpDecoder({ maxPixels = 100_000_000 }: SharpOptions = {}): PictureDecoder {
  // Pictures are decoded side by side, each on one thread: with small ones threads inside cost more than they give.
  sharp.concurrency(1);
  sharp.cache(false);
  return {
    async decode(picture, wish) {
      try {
        if (!('encoded' in picture)) return await fit(picture, wish);
        const image = sharp(picture.encoded, {
          failOn: 'error',
          limitInputPixels: maxPixels,
          autoOrient: true,
          animated: false,
        });
        return await decodeEncoded(image, wish);
      } catch (error) {
        return { reason: reasonOf(error, maxPixels) };
      }
    },
  };
}

async function decodeEncoded(image: Sharp, wish: PictureWish): Promise<NDArray> {
  const colour = wish.colour ?? ((await image.metadata()).channels < 3 ? 'grey' : 'RGB');
  const rgb = image.toColourspace('srgb').removeAlpha();
  const { data, info } = await stretch(rgb, wish)
    .raw({ depth: 'uchar' })
    .toBuffer({ resolveWithObject: true });
  // A grey picture with `toColourspace` becomes RGB in libvips, but not with every loader.
  const pixels = info.channels === 1 ? toRgb(data) : data;
  return pictureOf(info.height, info.width, colour === 'grey' ? toGrey(pixels) : pixels);
}

/** Decoded pixels at the wished size and colour. */
async function fit(picture: NDArray, wish: PictureWish): Promise<NDArray> {
  const [height, width, channels] = picture.dims as [number, number, number];
  let pixels = picture.data as Uint8Array;
  if (wish.colour === 'RGB' && channels === 1) pixels = toRgb(pixels);
  if (wish.colour === 'grey' && channels === 3) pixels = toGrey(pixels);
  const now = pixels.length / (height * width);
  const size = wish.size;
  if (!size || (size[0] === height && size[1] === width)) return pictureOf(height, width, pixels);
  const raw = { width, height, channels: now as 1 | 3 };
  const { data, info } = await stretch(sharp(pixels, { raw }), wish)
    .raw({ depth: 'uchar' })
    .toBuffer({ resolveWithObject: true });
  // Resizing one grey channel may return three equal ones.
  return pictureOf(info.height, info.width, now === 1 && info.channels === 3 ? toGrey(data) : data);
}

function stretch(image: Sharp, { size }: PictureWish): Sharp {
  return size ? image.resize({ height: size[0], width: size[1], fit: 'fill' }) : image;
}

const pictureOf = (height: number, width: number, data: Uint8Array): NDArray => ({
  dtype: 'uint8',
  dims: [height, width, data.length / (height * width)],
  data,
});

function reasonOf(error: unknown, maxPixels: number): string {
  const message = error instanceof Error ? error.message : String(error);
  if (/pixel limit/i.test(message)) return `picture has more than ${maxPixels} pixels`;
  if (/unsupported image format/i.test(message)) return 'picture of an unsupported kind';
  if (/premature end|truncat|end of|not enough|insufficient/i.test(message)) return 'picture is cut short';
  return 'picture is damaged';
}
