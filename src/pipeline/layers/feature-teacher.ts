import type { NDArray } from '../../core/ndarray.ts';
import { encodeModel } from '../../core/onnx/encode.ts';
import { sizeOf } from '../../core/onnx/tensor.ts';
import type { TeacherTap } from '../../core/program/feature-inputs.ts';
import { RowSession } from '../logits/row-session.ts';
import type { StageContext } from '../stage.ts';
import type { TeacherPlan } from '../teacher/teacher-plan.ts';
import type { FeaturePlan } from './feature-plan.ts';

/** Where the features of a batch come from. */
export interface FeatureSource {
  /** Pieces of every tap for [B, ...] rows, in the order of the taps. */
  features(rows: NDArray): Promise<readonly Float32Array[]>;
}

/** The teacher beside the student: it sees the very pixels of a step and gives the tensors that losses compare. */
export class FeatureTeacher implements FeatureSource {
  readonly #session: RowSession;
  readonly #taps: readonly TeacherTap[];

  private constructor(session: RowSession, taps: readonly TeacherTap[]) {
    this.#session = session;
    this.#taps = taps;
  }

  static async open(
    { model, taps }: FeaturePlan,
    plan: TeacherPlan,
    { runtime, spec }: Pick<StageContext, 'runtime' | 'spec'>,
  ): Promise<FeatureTeacher> {
    const { teacherDevice: device, threads } = spec.train;
    const session = await runtime.open(encodeModel(model), { device, threads });
    return new FeatureTeacher(new RowSession(session, plan), taps);
  }

  features(rows: NDArray): Promise<readonly Float32Array[]> {
    return this.#session.run(
      rows,
      this.#taps.map(({ name, dims }) => ({ name, size: sizeOf(dims) })),
    );
  }

  close(): Promise<void> {
    return this.#session.close();
  }
}
