import { losses } from '../../core/losses/index.ts';
import type { Loss } from '../../core/losses/loss.ts';
import { encodeModel } from '../../core/onnx/encode.ts';
import { entryOf } from '../../core/options.ts';
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
    refusesPairs: refusalOfPairs(spec) !== undefined,
  }),
  async run({ ingest }, context) {
    const { blobs, runtime, spec } = context;
    const bytes = await blobs.get(ingest.teacher.hash);
    const files = await storedFiles(ingest.companions, blobs);
    const options = { device: 'cpu', threads: spec.train.threads } as const;
    const model = await openModel(bytes, files, runtime);
    const { plan, tapped, warnings } = planTeacher(model, spec);
    if (plan.scores.classes === 2) refusePairs(spec);
    const encoded = encodeModel(tapped);
    const { batch, warning } = await probeBatch(await runtime.open(encoded, options), plan);
    const stored = await blobs.put(encoded);
    const told = warning === undefined ? warnings : [...warnings, warning];
    return { card: modelCard(model, bytes.byteLength, told), plan: { ...plan, batch, model: stored } };
  },
};

/** The first term that says nothing of two classes, and why. */
function refusalOfPairs({ objective }: ResolvedSpec): string | undefined {
  for (const { loss, options } of objective.terms) {
    const why = entryOf<Loss>(losses, loss, 'loss').refusesPairs?.(options);
    if (why) return `"${loss}" ${why}`;
  }
  return undefined;
}

function refusePairs(spec: ResolvedSpec): void {
  const why = refusalOfPairs(spec);
  if (!why) return;
  throw new RetortError('SPEC_INVALID', `/objective: ${why}; the teacher has two`, {
    hint: 'Use kl without standardisation, or logit-mse.',
  });
}
