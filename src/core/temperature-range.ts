/**
 * Temperatures that float32 can soften by: losses multiply by T^2, so that 1e-30 would leave a gradient of 0 and 1e30 one that
 * is infinite, and beyond 10,000 the differences of softened scores are lost in the rounding.
 */
export const temperatureRange = { minimum: 0.01, maximum: 10_000 } as const;
