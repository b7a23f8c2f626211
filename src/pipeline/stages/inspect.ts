import { encodeModel } from '../../core/onnx/encode.ts';
import { RetortError } from '../../errors.ts';
import type { ResolvedSpec } from '../../spec/resolved-spec.ts';
import { modelCard } from '../model-card.ts';
import { openModel } from '../open-model.ts';
import { planTeacher } from '../plan-teacher.ts';
import { probeBatch } from '../probe-batch.ts';
import type { Stage } from '../stage.ts';
import { storedFiles } from '../stored-files.ts';

/** The teacher: readable, runnable, with class scores; every problem, not the first. */
export const inspect: Stage<'inspect'> = {
  name: 'inspect',
  summary: 'inspects the teacher',
  version: 1,
  key: ({ ingest }, { spec }) => ({
    teacher: ingest.teacher.hash,
    companions: ingest.companions.map(({ name, hash }) => [name, hash]),
    inputs: spec.inputs,
    standardized: spec.objective.terms.some(({ options }) => options.standardize === true),
  }),
  async run({ ingest }, context) {
    const { blobs, runtime, spec } = context;
    const bytes = await blobs.get(ingest.teacher.hash);
    const files = await storedFiles(ingest.companions, blobs);
    const options = { device: 'cpu', threads: spec.train.threads } as const;
    const model = await openModel(bytes, files, runtime);
    const { plan, tapped, warnings } = planTeacher(model, spec);
    refuseStandardizedPairs(plan.scores.classes, spec);
    const encoded = encodeModel(tapped);
    const { batch, warning } = await probeBatch(await runtime.open(encoded, options), plan);
    const stored = await blobs.put(encoded);
    const told = warning === undefined ? warnings : [...warnings, warning];
    return { card: modelCard(model, bytes.byteLength, told), plan: { ...plan, batch, model: stored } };
  },
};

/** Two standardised logits are always +-0.7: nothing of the teacher but its choice would be left. */
function refuseStandardizedPairs(classes: number, { objective }: ResolvedSpec): void {
  const term = objective.terms.find(({ options }) => options.standardize === true);
  if (classes !== 2 || !term) return;
  throw new RetortError(
    'SPEC_INVALID',
    `/objective: "${term.loss}" standardises logits, which with two classes leaves only their order`,
    {
      hint: 'Leave out logit standardisation, or use logit-mse.',
    },
  );
}
