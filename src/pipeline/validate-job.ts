import { decodeModel } from '../core/onnx/decode.ts';
import { encodeModel } from '../core/onnx/encode.ts';
import { resolveExternalData } from '../core/onnx/external-data.ts';
import type { Model } from '../core/onnx/model.ts';
import { tapLogits } from '../core/onnx/tap-logits.ts';
import type { DatasetCard } from '../data/card.ts';
import type { ResolvedSpec } from '../spec/resolved-spec.ts';
import { chooseKernel } from './choice/choose-kernel.ts';
import { measuredPlan } from './choice/measured-plan.ts';
import { type CostEstimate, estimateCost } from './cost/estimate-cost.ts';
import { modelCard } from './report/model-card.ts';
import type { Results } from './results.ts';
import { type JourneyRequest, runJourney } from './run.ts';
import type { StageContext, Tools } from './stage.ts';
import { storedFiles } from './stored-files.ts';
import { shipStudent } from './student/ship-student.ts';
import type { ModelInspection } from './teacher/inspect-model.ts';
import { teacherWarnings } from './teacher/teacher-warnings.ts';
import { openRows, type Rows } from './training/open-rows.ts';
import { studentOf } from './training/train-student.ts';

export interface JobValidation {
  readonly model: ModelInspection;
  readonly dataset: DatasetCard;
  /** The student as it will be exported. */
  readonly student: { readonly parameters: number; readonly macs: number | null; readonly bytes: number };
  readonly warnings: readonly string[];
  readonly estimate: CostEstimate;
}

/**
 * Everything but the training: runs the journey until the teacher is found worth learning from and the layers to compare are known, builds the student and its
 * export, and makes some steps to see what the rest would cost. Throws what the job would. The stages it runs keep
 * their records, so that a job that follows finds them done.
 */
export async function validateJob(
  request: Omit<JourneyRequest, 'until' | 'record' | 'settled'>,
  tools: Tools,
  peakMemory: () => number,
): Promise<JobValidation> {
  let { spec } = request;
  const settled = async (found: ResolvedSpec): Promise<void> => {
    spec = found;
  };
  const done = await runJourney({ ...request, settled, until: 'match' }, tools);
  const context: StageContext = {
    ...tools,
    ...request,
    spec,
    partial: { load: async () => undefined, save: async () => {} },
    progress: () => {},
    emit: async () => {},
  };
  const { ingest, inspect, qualify } = done;
  const { scores } = inspect.plan;
  const files = await storedFiles(ingest.companions, tools.blobs);
  const teacher = resolveExternalData(decodeModel(await tools.blobs.get(ingest.teacher.hash)), files);
  const rows = await openRows(done, context);
  try {
    const student = await studentOf(done, context, rows);
    const { model } = shipStudent(student, teacher, inspect.plan);
    const { parameters, macs, bytes } = modelCard(model, encodeModel(model).byteLength);
    const behind = tapLogits(teacher)?.post ?? 'none';
    return {
      model: { card: inspect.card, scores: { tensor: scores.name, classes: scores.classes, behind } },
      dataset: qualify.card,
      student: { parameters, macs, bytes },
      warnings: teacherWarnings(done, spec),
      estimate: await estimateCost(done, rows, await withKernel(student, done, rows, context), peakMemory),
    };
  } finally {
    await rows.dataset.close();
  }
}

/** The context with `kernel: auto` settled as the job would. */
async function withKernel(
  student: Model,
  done: Pick<Results, 'ingest' | 'inspect' | 'qualify'>,
  rows: Rows,
  context: StageContext,
): Promise<StageContext> {
  if (context.spec.train.kernel !== 'auto') return context;
  const { kernel, reason } = await chooseKernel(
    (measured) => measuredPlan(student, done, rows, measured),
    context,
  );
  const train = { ...context.spec.train, kernel, kernelReason: reason };
  return { ...context, spec: { ...context.spec, train } };
}
