import type { NDArray } from '../ndarray.ts';
import type { Tensor } from '../onnx/tensor.ts';
import type { Program } from './program.ts';

/** The port behind which a Program is trained. Two adapters: `onnxruntime` and `tfjs`; each is the other's witness. */
export interface TrainingKernel {
  readonly name: string;
  /** Why a choice by speed should pass this kernel over on this machine, or undefined. */
  declines(options: Pick<KernelOptions, 'device' | 'threads'>): Promise<string | undefined>;
  open(program: Program, options: KernelOptions): Promise<Trainer>;
}

export interface KernelOptions {
  readonly device: 'cpu' | 'cuda';
  /** Threads inside one operator; 0 leaves it to the engine. */
  readonly threads: number;
  /** Seeds the Program's noise inputs. */
  readonly seed: number;
  /** Where to go on from; without it, the graph's initializers and step 0. */
  readonly snapshot?: Snapshot;
}

/**
 * Everything training changes, independent of the kernel that made it: parameters and state by initializer name,
 * optimizer slots as `slot:<slot>:<parameter>`, moving averages as `ema:<name>`.
 */
export interface Snapshot {
  /** Steps done. */
  readonly step: number;
  readonly tensors: ReadonlyMap<string, Tensor>;
}

/** K consecutive steps. */
export interface Chunk {
  readonly steps: number;
  /** By batch input name, dims [K, ...dims of the input]. */
  readonly feeds: Readonly<Record<string, NDArray>>;
  /** By scalar name (the Program's and the optimizer's, e.g. `learning_rate`): K values. */
  readonly scalars: Readonly<Record<string, Float32Array>>;
}

export interface ChunkResult {
  /** K losses, before each step's update. */
  readonly loss: Float32Array;
  readonly metrics: Readonly<Record<string, Float32Array>>;
}

export interface Trainer {
  /** What computes, with its version, in words for the report. */
  readonly engine: string;
  /** Most steps one `run` should be given (the engine's overhead is hidden, memory bounded). */
  readonly preferredSteps: number;
  run(chunk: Chunk): Promise<ChunkResult>;
  /** Loss and parameter gradients for one step (K = 1), before clipping and decay; changes nothing. */
  gradients(
    chunk: Chunk,
  ): Promise<{ readonly loss: number; readonly gradients: ReadonlyMap<string, Float32Array> }>;
  snapshot(): Promise<Snapshot>;
  close(): Promise<void>;
}
