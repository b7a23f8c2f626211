import type { Static, TObject } from 'typebox';
import type { GraphBuilder } from '../onnx/builder.ts';
import type {
  FeaturePair,
  FeatureUse,
  LayerUse,
  NumberArray,
  NumberPair,
  ObjectiveParts,
} from './features.ts';

/** What a loss needs besides the student's logits; the objective declares the inputs, the pipeline supplies by need. */
export type LossNeed = 'labels' | 'teacher-logits' | 'features' | 'layers';

/** Value names a loss may read while it adds its nodes. B batch, C classes. */
export interface LossContext {
  readonly b: GraphBuilder;
  /** [B, C] float32. */
  readonly studentLogits: string;
  /** [B, C] float32; present when needed. */
  readonly teacherLogits?: string;
  /** Label distribution [B, C] float32 (one-hot, smoothed or mixed; all zero in rows without a label). */
  readonly labels?: string;
  /** Scalar float32: the temperature T, where the spec gives one. */
  readonly temperature?: string;
  /** Tensors to compare, one pair or several; present when needed. */
  readonly features?: readonly FeaturePair[];
  /** Tensors of the student alone, [B, ...] float32, the deepest one last; present when needed. */
  readonly layers?: readonly string[];
  /** What the loss holds itself. */
  readonly own: ObjectiveParts;
}

/** One loss: formula, citation, graph and reference in one file. Adding one = that file and one registry line. */
export interface Loss<S extends TObject = TObject> {
  readonly name: string;
  readonly summary: string;
  readonly citation: string;
  readonly formula: string;
  readonly needs: readonly LossNeed[];
  /** Where its options leave something of `needs` unread: what it needs with these. */
  needsWith?(options: Static<S>): readonly LossNeed[];
  /** Options besides the common `weight` and `temperature`. */
  readonly options: S;
  /** Whether the loss reads a temperature, and its default. */
  readonly temperature?: number;
  /**
   * How it takes the teacher's scores, where not as those of one class out of several: every one by itself, or as values.
   * Teachers whose scores are not such are warned of.
   */
  readonly takesScores?: 'one by one' | 'values';
  /** Why the loss, with these options, says nothing of two classes; undefined where it does. */
  refusesPairs?(options: Static<S>): string | undefined;
  /**
   * The weight its authors or the reference benchmarks give it beside cross-entropy, in our normalisation and for one pair
   * of tensors or one inner layer, with these options; what the spec's `weight: "published"` takes. Absent or undefined where
   * there is none that fits any shape.
   */
  publishedWeight?(options: Static<S>): number | undefined;
  /** What these options do wrong on so many training rows; undefined where nothing. */
  warnsOf?(options: Static<S>, trainRows: number): string | undefined;
  /** How it reads features, where it needs them. */
  readonly features?: FeatureUse;
  /** How it reads layers of the student, where it needs them. */
  readonly layers?: LayerUse;
  /** Adds the nodes of the loss and returns a scalar float32, the mean over the batch. */
  build(context: LossContext, options: Static<S>): string;
  /** The slow obvious version on plain numbers: the independent witness of `build`. */
  reference(numbers: LossNumbers, options: Static<S>): number;
}

/** Rows of plain numbers, for `reference`. */
export interface LossNumbers {
  readonly studentLogits: readonly (readonly number[])[];
  readonly teacherLogits: readonly (readonly number[])[];
  readonly labels: readonly (readonly number[])[];
  readonly temperature: number;
  /** Aligned as `build` gets them; for losses that need features. */
  readonly features?: readonly NumberPair[];
  /** Layers of the student, the deepest one last; for losses that need layers. */
  readonly layers?: readonly NumberArray[];
  /** What the loss holds itself (parameters, noise), by the names it gave. */
  readonly own?: Readonly<Record<string, NumberArray>>;
}
