import { AUTO_SHARE, autoCandidates, shortRound, wholeRound } from '../../spec/auto-candidates.ts';
import type { MethodChoice } from '../../spec/method-choice.ts';
import { judgeCandidates } from '../choice/judge-candidates.ts';
import { methodChoice } from '../choice/method-choice.ts';
import { TrialProgress } from '../choice/trial-progress.ts';
import { shortShare, trialSpec } from '../choice/trial-spec.ts';
import { tryRound } from '../choice/try-round.ts';
import type { Results } from '../results.ts';
import type { Stage, StageContext } from '../stage.ts';
import { openRowsKey, trainKey } from '../training/train-key.ts';

/**
 * Settles `method: "auto"` by trainings with records of their own: a stop costs nothing that is finished, and that of the
 * winner is the job's. The choice is kept in the resolved spec with its evidence (docs/adr/0011).
 */
export const choose: Stage<'choose'> = {
  name: 'choose',
  summary: 'chooses the method',
  version: 4,
  key(done, { spec }) {
    if (spec.method !== 'auto') return { choice: spec.choice ?? null };
    return {
      ...openRowsKey(done, spec),
      ...trainKey(spec),
      teach: done.teach,
      candidates: candidatesOf(done),
      share: AUTO_SHARE,
    };
  },
  async run(done, context) {
    const { spec } = context;
    return spec.method === 'auto' ? choice(done, context) : (spec.choice ?? null);
  },
  settle({ choose: found }, spec) {
    if (spec.method !== 'auto' || !found) return spec;
    return { ...trialSpec(found, 'whole', spec), choice: found };
  },
};

const candidatesOf = ({ qualify, inspect }: Results) =>
  autoCandidates({ hasLabels: qualify.labelled > 0, classes: inspect.plan.scores.classes });

/** A round on short schedules says who goes on, one on the job's own length who wins. */
async function choice(done: Results, context: StageContext): Promise<MethodChoice> {
  const all = candidatesOf(done);
  const share = shortShare(context.spec);
  const candidates = shortRound(all);
  // In units of the job's length. A second round of more or fewer trainings than foreseen takes the place of these.
  const [first, second] = [share * candidates.length, wholeRound(all).length];
  const progress = new TrialProgress(context.progress, first + second);

  const tried = await tryRound({ candidates, length: 'short', weight: first }, progress, done, context);
  const short = judgeCandidates(tried.trials);
  const goOn = [short.safe, short.chosen].flatMap((each) => each?.candidate ?? []);
  const round = { candidates: wholeRound(all, goOn), length: 'whole', weight: second } as const;
  const { trials, measure = 'accuracy' } = await tryRound(round, progress, done, context);
  progress.end();
  return { ...methodChoice(short, judgeCandidates(trials, short.seedSpread), share), measure };
}
