/**
 * Temperatures that float32 can soften by: losses multiply by T^2, so that 1e-30 would leave a gradient of 0 and 1e30 one that
 * is infinite, and beyond 100 the rounding of softened scores, times T^2, shows in the loss: at 1,000 `dkd` is off by 0.5 %, at 10,000
 * by more than its value. Published temperatures end at 20.
 */
export const temperatureRange = { minimum: 0.01, maximum: 100 } as const;
