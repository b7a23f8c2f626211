import { losses } from '../core/losses/index.ts';
import type { Loss } from '../core/losses/loss.ts';
import { entryOf } from '../core/options.ts';
import type { ObjectiveTerm } from '../core/program/build-program.ts';
import type { CandidateRole } from './method-choice.ts';
import { resolveObjective } from './resolve-objective.ts';

/** What `method: "auto"` tries. */
export interface Candidate {
  readonly method: string;
  readonly role: CandidateRole;
  readonly terms: readonly ObjectiveTerm[];
  /** Which training seed: plain KD is trained with two, to see what seeds make. */
  readonly seed: number;
}

/** Length of the short schedules, as a part of the job's. */
export const AUTO_SHARE = 0.25;

interface Written {
  readonly method: string;
  readonly role: CandidateRole;
  readonly terms: readonly object[];
}

const labels = (weight: number) => ({ loss: 'cross-entropy', weight });
const standardized = { loss: 'kl', weight: 9, temperature: 2, standardize: true };

/** Published weights where there are any (docs/methods.md); the order breaks ties. */
const WITH_LABELS: readonly Written[] = [
  {
    method: 'kd',
    role: 'plain',
    terms: [{ loss: 'kl', weight: 0.9, temperature: 4 }, labels(0.1)],
  },
  { method: 'kd-standardized', role: 'standardized', terms: [standardized, labels(0.1)] },
  { method: 'dkd', role: 'fancier', terms: [{ loss: 'dkd', beta: 2 }, labels(1)] },
  { method: 'wttm', role: 'fancier', terms: [{ loss: 'wttm', weight: 36 }, labels(1)] },
  { method: 'control', role: 'control', terms: [labels(1)] },
];

const WITHOUT_LABELS: readonly Written[] = [
  { method: 'kd', role: 'plain', terms: [{ loss: 'kl', temperature: 4 }] },
  { method: 'kd-standardized', role: 'standardized', terms: [standardized] },
  { method: 'dkd-label-free', role: 'fancier', terms: [{ loss: 'dkd-label-free', beta: 2 }] },
  { method: 'wttm', role: 'fancier', terms: [{ loss: 'wttm', weight: 36 }] },
];

/** All that may be tried: without labels only what needs none, with two classes only what says anything of them. */
export function autoCandidates({
  hasLabels,
  classes,
}: {
  readonly hasLabels: boolean;
  readonly classes: number;
}): readonly Candidate[] {
  const all = (hasLabels ? WITH_LABELS : WITHOUT_LABELS).map(({ method, role, terms }): Candidate => {
    return { method, role, terms: resolveObjective({ terms }).terms, seed: 0 };
  });
  const fitting = all.filter(({ terms }) => classes > 2 || !terms.some(refusesPairs));
  const twins = fitting.filter(({ role }) => role === 'plain').map((plain) => ({ ...plain, seed: 1 }));
  return [...fitting, ...twins];
}

/** Tried on short schedules: the safe ones, what seeds make, and whether the labels alone do as well. */
export const shortRound = (all: readonly Candidate[]): readonly Candidate[] =>
  all.filter(({ role }) => role !== 'fancier');

/**
 * Tried on the job's own length, for short schedules rank the fancier losses wrongly: all of these, and what the short
 * round lets go on; as foreseen before it one of the safe ones.
 */
export const wholeRound = (
  all: readonly Candidate[],
  goOn: readonly Candidate[] = all.filter(({ role, seed }) => role === 'plain' && seed === 0),
): readonly Candidate[] =>
  all.filter((candidate) => candidate.role === 'fancier' || goOn.includes(candidate));

/** For people. */
export const candidateName = ({ method, seed }: Pick<Candidate, 'method' | 'seed'>): string =>
  seed === 0 ? method : `${method}, another seed`;

const refusesPairs = ({ loss, options }: ObjectiveTerm): boolean =>
  entryOf<Loss>(losses, loss, 'loss').refusesPairs?.(options) !== undefined;
