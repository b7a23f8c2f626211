export interface SimplexMinimum {
  /** Not negative, adding up to 1. */
  readonly weights: readonly number[];
  readonly value: number;
  /** Upper bound of how far the value is above the smallest one there is. */
  readonly gap: number;
  readonly rounds: number;
}

export interface Evaluated {
  readonly value: number;
  readonly gradient: readonly number[];
}

const ROUNDS = 500;

/**
 * The minimum of a convex function over weights that add up to 1: exponentiated gradient (Kivinen, Warmuth 1997) with
 * step sizes found by halving, so that no round makes the value larger. It ends when w.g - min g, by which convexity
 * bounds the distance to the minimum (Frank-Wolfe), is at most `tolerance`. Deterministic.
 */
export function minimizeOnSimplex(
  evaluate: (weights: readonly number[]) => Evaluated,
  start: readonly number[],
  tolerance = 1e-6,
): SimplexMinimum {
  let weights: readonly number[] = start;
  let { value, gradient } = evaluate(weights);
  let step = 1;
  for (let rounds = 0; ; rounds++) {
    const least = Math.min(...gradient);
    const gap = weights.reduce((sum, weight, k) => sum + weight * (gradient[k]! - least), 0);
    if (gap <= tolerance || rounds === ROUNDS) return { weights, value, gap, rounds };
    let found: readonly number[] | undefined;
    for (let halvings = 0; halvings < 60 && !found; halvings++) {
      const moved = normalized(weights.map((weight, k) => weight * Math.exp(-step * (gradient[k]! - least))));
      const next = evaluate(moved);
      if (next.value <= value - divergence(moved, weights) / step / 2) {
        found = moved;
        ({ value, gradient } = next);
        step *= 2;
      } else step /= 2;
    }
    // No step makes it smaller: the value is at the end of its digits.
    if (!found) return { weights, value, gap, rounds };
    weights = found;
  }
}

function normalized(weights: readonly number[]): number[] {
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  return weights.map((weight) => weight / total);
}

/** Kullback-Leibler divergence of weights. */
const divergence = (to: readonly number[], from: readonly number[]): number =>
  to.reduce((sum, weight, k) => (weight > 0 ? sum + weight * Math.log(weight / from[k]!) : sum), 0);
