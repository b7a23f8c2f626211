import { RetortError } from '../errors.ts';
import type { Column } from './dataset.ts';

/** What a spec declares about one teacher input (spec.ts `Preprocess`). */
export interface PreprocessWish {
  readonly size?: readonly [number, number];
  readonly layout?: 'NCHW' | 'NHWC';
  readonly colour?: 'RGB' | 'BGR' | 'grey';
  readonly scale?: number;
  readonly mean?: readonly number[];
  readonly std?: readonly number[];
}

export type InputType = 'float32' | 'uint8' | 'int32' | 'int64';

/** How one teacher input is filled from a column: x -> (x * scale - mean) / std per channel, in this layout. */
export interface InputPlan {
  readonly column: string;
  readonly dtype: InputType;
  /** Shape of one row as the teacher takes it. */
  readonly dims: readonly number[];
  /** Pictures: [H, W, C] of the column; undefined for arrays. */
  readonly picture: readonly [number, number, number] | undefined;
  readonly layout: 'NCHW' | 'NHWC';
  /** Channels come reversed. */
  readonly isBgr: boolean;
  readonly scale: number;
  /** Per channel (pictures), per last dimension or one for all (arrays). */
  readonly mean: readonly number[];
  readonly std: readonly number[];
}

/**
 * Fills in what the spec leaves out. `shape` is the teacher's input without the batch, undefined for unknown
 * dimensions; an input of the same size but another shape (784 for 28x28) is fed reshaped.
 */
export function planInput(
  name: string,
  wish: PreprocessWish,
  column: Column,
  dtype: InputType = 'float32',
  shape?: readonly (number | undefined)[],
): InputPlan {
  const refuse = (why: string, hint?: string): never => {
    throw new RetortError('DATA_MISMATCH', `input ${name}: ${why}`, hint === undefined ? {} : { hint });
  };
  const picture = column.kind === 'image' ? (column.dims as readonly [number, number, number]) : undefined;
  const layout = wish.layout ?? guessLayout(picture, shape);
  const width = picture ? picture[2] : (column.dims.at(-1) ?? 1);
  const scale = wish.scale ?? 1;
  const mean = wish.mean ?? [0];
  const std = wish.std ?? [1];
  for (const [key, list] of Object.entries({ mean, std })) {
    if (list.length === 1 || list.length === width) continue;
    refuse(
      `${key} has ${list.length} numbers, column ${column.name} has ${width} channels`,
      `Give 1 or ${width}.`,
    );
  }
  if (picture) {
    if (wish.size && (wish.size[0] !== picture[0] || wish.size[1] !== picture[1])) {
      refuse(`wants ${wish.size.join('x')} pictures, the dataset was decoded to ${picture[0]}x${picture[1]}`);
    }
    if (wish.colour && (wish.colour === 'grey') !== (picture[2] === 1)) {
      refuse(`wants ${wish.colour} pictures, the dataset was decoded with ${picture[2]} channels`);
    }
  } else if (wish.size || wish.colour) {
    refuse(`column ${column.name} holds arrays, so it has no size or colour`);
  }
  const isPlain = [scale, ...std].every((each) => each === 1) && mean.every((each) => each === 0);
  if (!picture && (dtype === 'int32' || dtype === 'int64') && !isPlain) {
    refuse(`takes whole numbers (${dtype}), which are not scaled`, 'Leave out scale, mean and std.');
  }
  const own = picture && layout === 'NCHW' ? [picture[2], picture[0], picture[1]] : column.dims;
  return {
    column: column.name,
    dtype,
    dims:
      fitShape(own, shape) ??
      refuse(`takes [${shape!.map((d) => d ?? '?')}], column ${column.name} gives [${own}]`),
    picture,
    layout,
    isBgr: wish.colour === 'BGR',
    scale,
    mean,
    std,
  };
}

function guessLayout(
  picture: readonly [number, number, number] | undefined,
  shape: readonly (number | undefined)[] | undefined,
): 'NCHW' | 'NHWC' {
  if (!picture || shape?.length !== 3) return 'NCHW';
  return shape[2] === picture[2] && shape[0] !== picture[2] ? 'NHWC' : 'NCHW';
}

/** The teacher's shape with unknowns filled from the column's, or undefined when they do not hold equally many. */
function fitShape(
  own: readonly number[],
  shape: readonly (number | undefined)[] | undefined,
): readonly number[] | undefined {
  if (!shape) return own;
  const product = (dims: readonly number[]) => dims.reduce((a, b) => a * b, 1);
  if (shape.length === own.length) {
    return shape.every((dim, i) => dim === undefined || dim === own[i]) ? own : undefined;
  }
  const known = product(shape.map((dim) => dim ?? 1));
  const unknown = shape.filter((dim) => dim === undefined).length;
  const rest = product(own) / known;
  if (unknown > 1 || !Number.isInteger(rest) || (unknown === 0 && rest !== 1)) return undefined;
  return shape.map((dim) => dim ?? rest);
}
