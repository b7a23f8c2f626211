/**
 * Where an output pixel comes from: source x = a x + b y + c, source y = d x + e y + f, in pixels, centres at whole
 * numbers.
 */
export type Affine = readonly [a: number, b: number, c: number, d: number, e: number, f: number];

export const identity: Affine = [1, 0, 0, 0, 1, 0];

/** The picture of `first`, seen through `then`: pixels are looked up in `then`, and the result in `first`. */
export function compose(first: Affine, then: Affine): Affine {
  const [a, b, c, d, e, f] = first;
  const [g, h, i, j, k, l] = then;
  return [a * g + b * j, a * h + b * k, a * i + b * l + c, d * g + e * j, d * h + e * k, d * i + e * l + f];
}

/** A linear map about the centre of a picture. */
export function aboutCentre(
  height: number,
  width: number,
  [a, b, d, e]: readonly [number, number, number, number],
): Affine {
  const cx = (width - 1) / 2;
  const cy = (height - 1) / 2;
  return [a, b, cx - a * cx - b * cy, d, e, cy - d * cx - e * cy];
}

/** Whether every pixel comes from exactly one pixel along unturned axes: shifts and flips. */
export const isGrid = ([a, b, c, d, e, f]: Affine): boolean =>
  b === 0 && d === 0 && Math.abs(a) === 1 && Math.abs(e) === 1 && Number.isInteger(c) && Number.isInteger(f);
