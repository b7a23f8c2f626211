import type { NDArray } from '../../core/ndarray.ts';
import type { Session } from '../ports.ts';
import type { TeacherPlan } from '../teacher/teacher-plan.ts';
import { RowSession } from './row-session.ts';

/** What a Scorer needs to know of a model: part of a TeacherPlan. */
export type ScorerPlan = Pick<TeacherPlan, 'batch' | 'input' | 'constants' | 'scores'>;

/** Smallest probability whose logarithm is taken. */
const TINY = 1e-30;

/** Class scores of a model on batches of rows, whatever batch, element type and rank it wants. */
export class Scorer {
  readonly #session: RowSession;
  readonly #plan: ScorerPlan;

  constructor(session: Session, plan: ScorerPlan) {
    this.#session = new RowSession(session, plan);
    this.#plan = plan;
  }

  /** [n, ...] rows to [n, classes] logits, float32. */
  async logits(rows: NDArray): Promise<Float32Array> {
    const { name, classes, kind } = this.#plan.scores;
    const [values] = await this.#session.run(rows, [{ name, size: classes }]);
    return kind === 'probabilities' ? values!.map((p) => Math.log(Math.max(p, TINY))) : values!;
  }

  close(): Promise<void> {
    return this.#session.close();
  }
}
