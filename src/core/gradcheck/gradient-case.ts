import { RetortError } from '../../errors.ts';
import type { NDArray } from '../ndarray.ts';
import { sizeOf } from '../onnx/tensor.ts';
import { normalish, splitmix64 } from './counter-hash.ts';

/** A model's reference gradients, computed elsewhere in float64, in the shape of `case.json`. */
export interface GradientCase {
  readonly name: string;
  /** `train`: BatchNormalization uses statistics of the batch. */
  readonly mode: 'train' | 'eval';
  readonly inputs: readonly CaseInput[];
  readonly outputs: readonly CaseOutput[];
  /** Sum over outputs of <output, cotangent>. */
  readonly loss: number;
  readonly grads: readonly CaseGradient[];
}

export interface CaseInput {
  readonly name: string;
  readonly shape: readonly number[];
  /** `float`, `int:N` (below N) or `mask` (ones). */
  readonly kind: string;
  readonly seed: number;
}

export interface CaseOutput {
  readonly name: string;
  readonly shape: readonly number[];
  /** Of its cotangent. */
  readonly seed: number;
  readonly sum: number;
  readonly norm: number;
}

export interface CaseGradient {
  readonly initializer: string;
  readonly shape: readonly number[];
  readonly norm: number;
  readonly seed: number;
  /** Four projections on directions of +-1. */
  readonly proj: readonly number[];
}

const normal = (seed: number, dims: readonly number[]): NDArray => ({
  dtype: 'float32',
  dims,
  data: Float32Array.from({ length: sizeOf(dims) }, (_, i) => normalish(seed, i + 1)),
});

const integers = (dims: readonly number[], at: (i: number) => bigint): NDArray => ({
  dtype: 'int64',
  dims,
  data: BigInt64Array.from({ length: sizeOf(dims) }, (_, i) => at(i + 1)),
});

export function inputOf({ name, kind, seed, shape }: CaseInput): NDArray {
  if (kind === 'float') return normal(seed, shape);
  if (kind === 'mask') return integers(shape, () => 1n);
  const limit = /^int:(\d+)$/.exec(kind)?.[1];
  if (limit) return integers(shape, (i) => splitmix64(BigInt(seed), i) % BigInt(limit));
  throw new RetortError('DATA_UNREADABLE', `input "${name}" is of kind "${kind}"; known: float, int:N, mask`);
}

export const cotangentOfOutput = ({ seed, shape }: CaseOutput): NDArray => normal(seed, shape);
