import { combinationRefusesPairs } from '../../core/ensemble/ensemble.ts';
import { statisticsNodes } from '../../core/inversion/statistics-distance.ts';
import { losses } from '../../core/losses/index.ts';
import type { Loss } from '../../core/losses/loss.ts';
import { decodeModel } from '../../core/onnx/decode.ts';
import { encodeModel } from '../../core/onnx/encode.ts';
import type { Model } from '../../core/onnx/model.ts';
import { entryOf } from '../../core/options.ts';
import { RetortError } from '../../errors.ts';
import type { ResolvedSpec } from '../../spec/resolved-spec.ts';
import { about } from '../about.ts';
import { namedFiles, refuseNotSent } from '../named-files.ts';
import { modelCard } from '../report/model-card.ts';
import type { InspectedTeacher } from '../results.ts';
import type { Stage, StageContext } from '../stage.ts';
import { storedFiles } from '../stored-files.ts';
import { aboutTeacher } from '../teacher/about-teacher.ts';
import { exclusiveWarnings, lossesTaking } from '../teacher/misread-scores.ts';
import { openModel } from '../teacher/open-model.ts';
import { planTeacher } from '../teacher/plan-teacher.ts';
import { probeTeacher } from '../teacher/probe-teacher.ts';
import { unreadFiles } from '../unread-files.ts';

/** The teacher: readable, runnable, with class scores; every problem, not the first. */
export const inspect: Stage<'inspect'> = {
  name: 'inspect',
  summary: 'inspects the teacher',
  version: 4,
  key: ({ ingest }, { spec }) => ({
    teacher: ingest.teacher.hash,
    companions: ingest.companions.map(({ name, hash }) => [name, hash]),
    inputs: spec.inputs,
    others: spec.ensemble?.others.map(({ file, inputs }) => ({ file, inputs })),
    named: namedFiles(spec).map(({ file }) => file),
    inverted: spec.inversion !== undefined || undefined,
    refusesPairs: refusalOfPairs(spec) !== undefined,
    oneByOne: lossesTaking('one by one', spec),
  }),
  async run({ ingest }, context) {
    const { blobs, spec } = context;
    const named = namedFiles(spec);
    refuseNotSent(named, ingest);
    const files = await storedFiles(ingest.companions, blobs);
    const bytes = await blobs.get(ingest.teacher.hash);
    const { tap, ...own } = await inspectTeacher(bytes, files, spec.inputs, context);
    if (own.plan.scores.classes === 2) refusePairs(spec);
    if (spec.inversion) refuseWithoutStatistics(decodeModel(await blobs.get(own.plan.model.hash)));
    const others: InspectedTeacher[] = [];
    const exclusive = [...exclusiveWarnings(spec, tap, own.plan.scores)];
    for (const { file, inputs } of spec.ensemble?.others ?? []) {
      const work = () => inspectTeacher(files.get(file)!, files, inputs, context, 'further');
      const { tap: scores, card, plan } = await aboutTeacher(file, work);
      others.push({ file, card, plan });
      const told = exclusiveWarnings(spec, scores, plan.scores);
      exclusive.push(...told.map((warning) => `further teacher "${file}": ${warning}`));
    }
    const models = [decodeModel(bytes)];
    for (const { file, role } of named) {
      models.push(await about(`${role} "${file}"`, () => decodeModel(files.get(file)!)));
    }
    const warnings = [...unreadFiles(ingest.companions, named, models), ...exclusive];
    return { ...own, warnings, ...(spec.ensemble ? { others } : {}) };
  },
};

async function inspectTeacher(
  bytes: Uint8Array,
  files: ReadonlyMap<string, Uint8Array>,
  inputs: ResolvedSpec['inputs'],
  { blobs, runtime, spec }: Pick<StageContext, 'blobs' | 'runtime' | 'spec'>,
  role: 'own' | 'further' = 'own',
) {
  const options = { device: 'cpu', threads: spec.train.threads } as const;
  const model = await openModel(bytes, files, runtime);
  const { plan, tap, tapped, warnings } = planTeacher(model, { inputs }, role);
  const encoded = encodeModel(tapped);
  const { batch, kind, warnings: seen } = await probeTeacher(await runtime.open(encoded, options), plan);
  const stored = await blobs.put(encoded);
  return {
    card: modelCard(model, bytes.byteLength, [...warnings, ...seen]),
    plan: { ...plan, batch, scores: { ...plan.scores, kind }, model: stored },
    tap,
  };
}

/** Batch normalisation that was folded into the layers before it has taken its statistics with it. */
function refuseWithoutStatistics(tapped: Model): void {
  if (statisticsNodes(tapped.graph).length > 0) return;
  throw new RetortError(
    'ONNX_UNSUPPORTED',
    'no pictures can be recovered from the teacher: it has no BatchNormalization with its statistics in front of the class scores',
    {
      hint: 'Export it without folding (torch.onnx.export with training=TrainingMode.PRESERVE, do_constant_folding=False), or take "label-free" with rows of your own.',
    },
  );
}

/** What says nothing of two classes, why, and what to take instead. */
function refusalOfPairs({ objective, ensemble }: ResolvedSpec) {
  for (const { loss, options } of objective.terms) {
    const why = entryOf<Loss>(losses, loss, 'loss').refusesPairs?.(options);
    if (why) {
      const instead = 'Use kl without standardisation, or logit-mse.';
      return { what: `/objective: "${loss}" ${why}`, instead };
    }
  }
  const why = ensemble && combinationRefusesPairs(ensemble.combine);
  if (!why) return undefined;
  const what = `/strategy/combine: "${ensemble.combine}" ${why}`;
  return { what, instead: 'Take "probabilities" or "logits".' };
}

function refusePairs(spec: ResolvedSpec): void {
  const refusal = refusalOfPairs(spec);
  if (!refusal) return;
  throw new RetortError('SPEC_INVALID', `${refusal.what}; the teacher has two`, { hint: refusal.instead });
}
