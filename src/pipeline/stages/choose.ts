import { AUTO_SHARE, autoCandidates } from '../../spec/auto-candidates.ts';
import type { MethodChoice } from '../../spec/method-choice.ts';
import type { ResolvedSpec } from '../../spec/resolved-spec.ts';
import { judgeCandidates, type Trial } from '../choice/judge-candidates.ts';
import { trialSpec, tryCandidate } from '../choice/try-candidate.ts';
import { recorded } from '../recorded.ts';
import type { Results } from '../results.ts';
import type { Stage, StageContext } from '../stage.ts';
import { openRowsKey, trainKey } from '../training/train-key.ts';

/** Of a trial. */
const VERSION = 1;

/**
 * Settles `method: "auto"` by short trainings, each with a record of its own: a stop costs nothing that is finished. The
 * choice is kept in the resolved spec with its evidence (docs/adr/0011).
 */
export const choose: Stage<'choose'> = {
  name: 'choose',
  summary: 'chooses the method',
  version: 2,
  key(done, { spec }) {
    if (spec.method !== 'auto') return { choice: spec.choice ?? null };
    return { ...keyOf(done, spec), candidates: candidatesOf(done), share: AUTO_SHARE };
  },
  async run(done, context) {
    const { spec } = context;
    return spec.method === 'auto' ? choice(done, context) : (spec.choice ?? null);
  },
  settle({ choose: found }, spec) {
    if (spec.method !== 'auto' || !found) return spec;
    const { method: _auto, ...rest } = spec;
    const { strategy, phases } = trialSpec({ terms: found.terms }, spec);
    return { ...rest, choice: found, strategy, objective: { terms: found.terms }, phases };
  },
};

const candidatesOf = ({ qualify, inspect }: Results) =>
  autoCandidates({ hasLabels: qualify.labelled > 0, classes: inspect.plan.scores.classes });

const keyOf = (done: Results, spec: StageContext['spec']) => ({
  ...openRowsKey(done, spec),
  ...trainKey(spec),
  teach: done.teach,
});

async function choice(done: Results, context: StageContext): Promise<MethodChoice> {
  const { blobs, spec } = context;
  const candidates = candidatesOf(done);
  const trials: Trial[] = [];
  let measure: MethodChoice['measure'] = 'accuracy';
  for (const [index, candidate] of candidates.entries()) {
    const { method, seed, terms } = candidate;
    const name = seed === 0 ? method : `${method}, another seed`;
    const within: StageContext = {
      ...context,
      progress: (steps, total) => context.progress(index * total + steps, candidates.length * total, name),
      emit: (type, data) => context.emit(type, { ...(data as object), run: `choose: ${name}` }),
    };
    const key = {
      ...keyOf(done, trialSpec(candidate, spec)),
      terms,
      isControl: candidate.role === 'control',
      seed,
    };
    const tried = await recorded({ name: 'choose', version: VERSION, key: { trial: key } }, within, (own) =>
      tryCandidate(candidate, done, own),
    );
    if ('failure' in tried) trials.push({ candidate, failure: tried.failure });
    else {
      measure = tried.measure;
      trials.push({ candidate, hits: await blobs.get(tried.hits.hash) });
    }
  }
  const rows = trials.find(({ hits }) => hits)?.hits?.length ?? 0;
  return { ...judgeCandidates(trials), measure, rows, share: shareOf(spec) };
}

/** Length of the short schedules as a part of the job's: whole epochs or steps, so it may be more than was aimed at. */
function shareOf(spec: ResolvedSpec): number {
  const length = ({ train }: ResolvedSpec): number => Object.values(train.length)[0]!;
  return length(trialSpec(spec.objective, spec)) / length(spec);
}
