import type { Static, TObject } from 'typebox';
import type { Model } from '../onnx/model.ts';

/** What the student's body must fit: the tensor it reads and the class scores it returns. */
export interface StudentPort {
  readonly input: string;
  /** Without the batch: [C, H, W] for pictures, [D] for rows of features. */
  readonly inputShape: readonly number[];
  /** Name of the logits output, shape [N, classes]. */
  readonly output: string;
  readonly classes: number;
}

/**
 * A student architecture: options to a trainable ONNX model (opset 18, batch dimension 'N', BatchNormalization in
 * training mode with its running statistics as outputs `<name>.next`). Adding one = one file and one registry line.
 */
export interface StudentArchitecture<S extends TObject = TObject> {
  readonly name: string;
  readonly summary: string;
  readonly citation: string;
  readonly options: S;
  /** Why this port cannot be served, or undefined. */
  refuses(port: StudentPort): string | undefined;
  /** Seeded: equal arguments give equal bytes. */
  build(port: StudentPort, options: Static<S>, seed: number): Model;
  /** Option sets from small to large, among which `auto` picks the largest that fits its limits. */
  ladder(port: StudentPort): readonly Static<S>[];
}
