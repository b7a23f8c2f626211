import { type Affine, compose } from './affine.ts';

/** A map drawn for pictures of size `from` (height, width) as the same map of the same picture at size `to`. */
export function inFrame(map: Affine, from: readonly [number, number], to: readonly [number, number]): Affine {
  if (from[0] === to[0] && from[1] === to[1]) return map;
  return compose(compose(scaling(from, to), map), scaling(to, from));
}

/** Where the centres of pixels lie in the same picture at another size, `of` pixels high and wide instead of `out`. */
function scaling(out: readonly [number, number], of: readonly [number, number]): Affine {
  const [y, x] = [of[0] / out[0], of[1] / out[1]];
  return [x, 0, (x - 1) / 2, 0, y, (y - 1) / 2];
}
