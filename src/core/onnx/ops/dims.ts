import type { Dim, Shape } from '../model.ts';

/** Arithmetic of dimensions that may be numbers, symbols ('N') or unknown (''). Results are never guessed. */

export const isKnown = (dim: Dim | undefined): dim is number => typeof dim === 'number';

/** A shape all of whose dimensions are numbers. */
export const isStatic = (shape: Shape | undefined): shape is readonly number[] =>
  shape?.every(isKnown) ?? false;

/** Applies a function to known numbers; anything else gives unknown. */
export const mapDim = (dim: Dim, f: (value: number) => number): Dim => (isKnown(dim) ? f(dim) : '');

/** Product; a single symbol among ones stays that symbol, zero wins over everything. */
export function productOf(dims: readonly Dim[]): Dim {
  let product = 1;
  const symbols: string[] = [];
  for (const dim of dims) {
    if (isKnown(dim)) product *= dim;
    else symbols.push(dim);
  }
  if (symbols.length === 0 || product === 0) return product;
  return symbols.length === 1 && product === 1 ? symbols[0]! : '';
}

/** total / part where both are products of dimensions; undefined if it does not divide, '' if unknown. */
export function quotientOf(total: readonly Dim[], part: readonly Dim[]): Dim | undefined {
  const symbols = total.filter((dim) => !isKnown(dim));
  let divisor = 1;
  let unmatched = false;
  for (const dim of part) {
    if (isKnown(dim)) {
      divisor *= dim;
      continue;
    }
    const at = dim === '' ? -1 : symbols.indexOf(dim);
    if (at < 0) unmatched = true;
    else symbols.splice(at, 1);
  }
  if (unmatched || divisor === 0) return '';
  const number = total.filter(isKnown).reduce((n, d) => n * d, 1) / divisor;
  if (symbols.length === 0) return Number.isInteger(number) ? number : undefined;
  return symbols.length === 1 && number === 1 ? symbols[0]! : '';
}

/** Two views of one dimension put together; undefined if they contradict. Numbers win over symbols. */
export function unify(a: Dim, b: Dim): Dim | undefined {
  if (a === b) return a;
  if (isKnown(a) && isKnown(b)) return undefined;
  if (isKnown(a)) return a;
  if (isKnown(b)) return b;
  return a === '' ? b : a;
}

/** What is common to two possible dimensions (the branches of an If). */
export const join = (a: Dim, b: Dim): Dim => (a === b ? a : '');

export const joinShapes = (a: Shape | undefined, b: Shape | undefined): Shape | undefined =>
  a && b && a.length === b.length ? a.map((dim, i) => join(dim, b[i]!)) : undefined;

/** Numpy broadcasting of two dimensions; undefined if they do not fit. A symbol against n > 1 must be 1 or n: n. */
export function broadcastDim(a: Dim, b: Dim): Dim | undefined {
  if (a === b) return a;
  if (a === 1) return b;
  if (b === 1) return a;
  if (isKnown(a) && isKnown(b)) return undefined;
  if (isKnown(a)) return a;
  return isKnown(b) ? b : '';
}

/** Numpy broadcasting of shapes; undefined if they do not fit. */
export function broadcastShapes(shapes: readonly Shape[]): Dim[] | undefined {
  const rank = Math.max(0, ...shapes.map((shape) => shape.length));
  const out: Dim[] = [];
  for (let i = 0; i < rank; i++) {
    let dim: Dim | undefined = 1;
    for (const shape of shapes) {
      const at = i - (rank - shape.length);
      if (at >= 0 && dim !== undefined) dim = broadcastDim(dim, shape[at]!);
    }
    if (dim === undefined) return undefined;
    out.push(dim);
  }
  return out;
}

export const showShape = (shape: Shape | undefined): string =>
  shape ? `[${shape.map((dim) => (dim === '' ? '?' : dim)).join(', ')}]` : 'unknown shape';
