/** Beyond it sum and term are scaled down, far from where doubles end. */
const LARGE = 1e200;

/**
 * ln of the mean of e^(kappa <u, v>) over unit vectors v of D dimensions, whichever the unit vector u:
 * 0F1(; D / 2; kappa^2 / 4) = sum_n (kappa^2 / 4)^n / ((D / 2)_n n!), by which von Mises-Fisher densities are normalised.
 * For D far above kappa^2 it is about kappa^2 / (2 D).
 */
export function lnMeanOnSphere(dimensions: number, kappa: number): number {
  let [sum, term, scale] = [1, 1, 0];
  for (let n = 1; term > 1e-16 * sum; n++) {
    term *= kappa ** 2 / 4 / ((dimensions / 2 + n - 1) * n);
    sum += term;
    if (sum > LARGE) [sum, term, scale] = [sum / LARGE, term / LARGE, scale + Math.log(LARGE)];
  }
  return Math.log(sum) + scale;
}
