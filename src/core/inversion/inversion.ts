/** How training rows are recovered from the teacher, where the strategy has none of its own. Plain data. */
export interface Inversion {
  readonly images: number;
  /** Pictures that are made together; the statistics are those of so many. */
  readonly batch: number;
  /** Optimizer steps per batch. */
  readonly steps: number;
  readonly learningRate: number;
  /** Pixels by which the teacher is shown them shifted, at most. */
  readonly shift: number;
  /** Whether it is shown mirrored ones. */
  readonly flip: boolean;
  readonly weights: InversionWeights;
}

export interface InversionWeights {
  readonly labels: number;
  readonly statistics: number;
  readonly variation: number;
  readonly size: number;
}

/** Pictures u [B, C, H, W] as bytes: 127.5 + 64 u, so that drawn from N(0, 1) they look like pictures in mean and deviation. */
export const BYTES = { centre: 127.5, deviation: 64 } as const;
