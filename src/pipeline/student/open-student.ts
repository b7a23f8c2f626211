import { encodeModel } from '../../core/onnx/encode.ts';
import type { Model } from '../../core/onnx/model.ts';
import { inferenceMode } from '../../core/onnx/passes/inference-mode.ts';
import { applyPass } from '../../core/onnx/passes/pass.ts';
import type { Scorer } from '../logits/scorer.ts';
import type { Results } from '../results.ts';
import type { StageContext } from '../stage.ts';
import { STUDENT_INPUT } from './student-names.ts';
import { studentScorer } from './student-scorer.ts';

/** A session of a trained student in its exported form. */
export async function openStudent(
  trained: Model,
  { inspect: { plan } }: Pick<Results, 'inspect'>,
  { runtime, spec }: Pick<StageContext, 'runtime' | 'spec'>,
): Promise<Scorer> {
  const { device, threads } = spec.train;
  const session = await runtime.open(encodeModel(applyPass(inferenceMode, trained, {})), { device, threads });
  return studentScorer(session, plan, { ...plan.input, name: STUDENT_INPUT, dtype: 'float32' });
}
