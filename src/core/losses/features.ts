import type { Tensor } from '../onnx/tensor.ts';

/** Two values of the graph that a loss compares, [B, ...] float32 with static dims, aligned as its `FeatureUse` says. */
export interface FeaturePair {
  readonly student: string;
  readonly teacher: string;
}

/** How a loss reads features. Shapes: maps [B, C, H, W], sequences [B, L, D], vectors [B, D]. */
export interface FeatureUse {
  /**
   * How far the student's tensor is brought to the shape of the teacher's before the loss sees it: all of it, positions
   * (H, W) but not channels, or not at all; `same` refuses shapes that differ. See core/program/align-features.ts.
   */
  readonly align: 'shape' | 'positions' | 'none' | 'same';
  /** Ranks it reads, the batch counted. */
  readonly ranks: readonly number[];
  /** Which of several layers `auto` picks: the published choice. Absent where layers cannot be found by themselves. */
  readonly auto?: 'first' | 'middle' | 'last' | 'every';
  /** Aligned shapes, a list per objective, that the conformance tests try. */
  readonly samples: readonly (readonly {
    readonly student: readonly number[];
    readonly teacher: readonly number[];
  }[])[];
  /** Options the conformance tests give, where the defaults make a loss too large for plain numbers. */
  readonly trial?: Readonly<Record<string, unknown>>;
}

/** How a loss reads layers of the student alone. */
export interface LayerUse {
  /** Shapes of layers, the deepest one last, a list per objective, that the conformance tests try. */
  readonly samples: readonly (readonly (readonly number[])[])[];
}

/** What an objective may hold besides its inputs; none of it is exported. Names are the loss's own. */
export interface ObjectiveParts {
  /** A tensor that is trained along with the student; decayed as its tensors are unless `rates` says otherwise. */
  parameter(name: string, initial: Tensor, rates?: { readonly weightDecay: number }): string;
  /** Starts of a weight tensor: normal with mean 0 and this standard deviation, drawn from the objective's own stream. */
  normal(name: string, dims: readonly number[], std: number): Tensor;
  /** Fresh numbers at every step: uniform on [0, 1) or standard normal. */
  noise(name: string, dims: readonly number[], distribution: 'uniform' | 'normal'): string;
  /** A tensor carried from step to step; `next` says what replaces it. Returns this step's value. */
  state(name: string, initial: Tensor, next: (current: string) => string): string;
}

/** Plain numbers, row-major, for `reference`. */
export interface NumberArray {
  readonly dims: readonly number[];
  readonly data: readonly number[];
}

export interface NumberPair {
  readonly student: NumberArray;
  readonly teacher: NumberArray;
}
