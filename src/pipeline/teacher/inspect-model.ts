import { decodeModel } from '../../core/onnx/decode.ts';
import { externalNames } from '../../core/onnx/external-data.ts';
import { tapLogits } from '../../core/onnx/tap-logits.ts';
import { RetortError } from '../../errors.ts';
import type { Runtime } from '../ports.ts';
import { type ModelCard, modelCard } from '../report/model-card.ts';
import { openModel } from './open-model.ts';
import { planTeacher } from './plan-teacher.ts';

export interface ModelInspection {
  readonly card: ModelCard;
  /** Where the class scores are, if the model can be a teacher. */
  readonly scores?: { readonly tensor: string; readonly classes: number; readonly behind: string };
  /** Why it cannot be a teacher as it is, with no more than the defaults declared. */
  readonly refusal?: { readonly code: string; readonly message: string; readonly hint?: string };
}

/** What a model is, and whether it can teach. */
export async function inspectModel(
  bytes: Uint8Array,
  files: ReadonlyMap<string, Uint8Array>,
  runtime: Runtime,
): Promise<ModelInspection> {
  const model = await openModel(bytes, files, runtime);
  const read = externalNames(decodeModel(bytes));
  const unread = [...files.keys()].filter((name) => !read.includes(name));
  const warnings = unread.map((name) => `the model does not read "${name}", which came with it`);
  const card = modelCard(model, bytes.byteLength, warnings);
  try {
    const { plan } = planTeacher(model, { inputs: {} });
    const behind = tapLogits(model)?.post ?? 'none';
    return { card, scores: { tensor: plan.scores.name, classes: plan.scores.classes, behind } };
  } catch (error) {
    if (!(error instanceof RetortError)) throw error;
    const { code, message, hint } = error;
    return { card, refusal: { code, message, ...(hint === undefined ? {} : { hint }) } };
  }
}
