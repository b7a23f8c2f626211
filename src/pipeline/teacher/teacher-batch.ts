import type { ResolvedSpec } from '../../spec/resolved-spec.ts';
import { SCORE_BATCH } from '../logits/score-rows.ts';

/** Rows per run of a job's teacher by its position: what was settled for the job's own, the usual number for others. */
export const teacherBatch = ({ train }: Pick<ResolvedSpec, 'train'>, position: number): number =>
  (position === 0 ? train.teacherRows : undefined) ?? SCORE_BATCH;
