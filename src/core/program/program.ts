import type { DType } from '../onnx/dtype.ts';
import type { Graph } from '../onnx/model.ts';
import type { OptimizerSpec } from '../optimizers/optimizer.ts';

/**
 * What a kernel trains: one forward graph, student and objective joined, at opset 18 with static shapes, still whole
 * (BatchNormalization in training mode stays one node). Kernels lower it; nobody else does. See docs/adr/0001.
 */
export interface Program {
  /** Inputs: every `batch`, `noise` and `scalars` name. Outputs: `loss`, every metric, every state `next`. */
  readonly graph: Graph;
  /** Name of the scalar float32 output that is minimised. */
  readonly loss: string;
  /** Other scalar float32 outputs, recorded at every step (the loss terms). */
  readonly metrics: readonly string[];
  /** Trained initializers, in a fixed order. */
  readonly parameters: readonly Parameter[];
  /** Values carried from step to step besides parameters: BN running statistics, memory banks. */
  readonly state: readonly StatePair[];
  /** Inputs the host fills with data at every step; dims include the batch. */
  readonly batch: readonly ProgramInput[];
  /** Inputs the host fills with noise at every step, from (seed, stream, step). */
  readonly noise: readonly NoiseInput[];
  /** Scalar float32 graph inputs that follow a schedule (temperature, loss weights), besides the optimizer's own. */
  readonly scalars: readonly string[];
  readonly optimizer: OptimizerSpec;
  /** Largest global L2 norm of all gradients together; they are scaled down to it. */
  readonly clipNorm?: number;
  /** Exponential moving average of parameters and float state: e <- d e + (1 - d) p after every step. */
  readonly ema?: { readonly decay: number };
}

export interface Parameter {
  /** Name of an initializer of the graph. */
  readonly name: string;
  readonly owner: 'student' | 'objective' | 'input';
  /** Multiplies the scheduled learning rate. Default 1. */
  readonly learningRate?: number;
  /** Multiplies the optimizer's weight decay. Default 1; 0 for biases and normalisation where the spec says so. */
  readonly weightDecay?: number;
}

/** `initial` names an initializer, `next` the graph output that replaces it after the step. */
export interface StatePair {
  readonly initial: string;
  readonly next: string;
}

export interface ProgramInput {
  readonly name: string;
  readonly dtype: DType;
  readonly dims: readonly number[];
}

export interface NoiseInput extends ProgramInput {
  readonly distribution: 'uniform' | 'normal';
  /** Names the noise in the counter hash; two inputs with one stream get the same numbers. */
  readonly stream: string;
}
