import * as tf from '@tensorflow/tfjs-core';

/** An attribute of a TensorFlow operation as the addon takes it; `type` is one of its constants TF_ATTR_*. */
export interface OpAttribute {
  readonly name: string;
  readonly type: number;
  readonly value: unknown;
}

/** A tensor of libtensorflow; `dtype` is a number of TensorFlow's enum DataType. */
export interface Handle {
  readonly id: number;
  readonly shape: readonly number[];
  readonly dtype: number;
}

export type HostValues = Float32Array | Int32Array | Uint8Array | BigInt64Array;

/** What of tfjs-node's addon is used: everything that tfjs does on libtensorflow goes through these. */
export interface Addon {
  createTensor(shape: readonly number[], dtype: number, values: HostValues): number;
  deleteTensor(id: number): void;
  tensorDataSync(id: number): HostValues;
  executeOp(
    op: string,
    attributes: readonly OpAttribute[],
    inputs: readonly number[],
    outputs: number,
  ): Handle[];
  /** A SavedModel's session, by number; `tags` and the names below are separated by commas. */
  loadSavedModel(directory: string, tags: string): number;
  deleteSavedModel(session: number): void;
  runSavedModel(
    session: number,
    inputs: readonly number[],
    inputNames: string,
    outputNames: string,
  ): Handle[];
  readonly TF_ATTR_STRING: number;
  readonly TF_ATTR_INT: number;
  readonly TF_ATTR_FLOAT: number;
  readonly TF_ATTR_BOOL: number;
  readonly TF_ATTR_TYPE: number;
  readonly TF_ATTR_SHAPE: number;
  readonly TF_FLOAT: number;
  readonly TF_INT32: number;
  readonly TF_BOOL: number;
}

/** What of tfjs-node's backend is used. */
export interface NodeBackend {
  binding: Addon;
  executeMultipleOutputs(
    name: string,
    attributes: readonly OpAttribute[],
    inputs: readonly tf.TensorInfo[],
    outputs: number,
  ): tf.Tensor[];
  /** The addon's numbers of these tensors; writes those that the host still holds. */
  getInputTensorIds(tensors: readonly tf.TensorInfo[]): number[];
  /** A tensor of tfjs over one of the addon's, which it owns from then on. */
  createOutputTensor(handle: Handle): tf.Tensor;
}

/** tfjs-node's backend, where it runs the operators (`isNative`). */
export const nodeBackend = (): NodeBackend => tf.backend() as unknown as NodeBackend;
