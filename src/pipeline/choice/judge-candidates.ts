import { RetortError } from '../../errors.ts';
import type { Candidate } from '../../spec/auto-candidates.ts';
import type { Evidence, MethodChoice } from '../../spec/method-choice.ts';

/** A candidate after its short training. */
export interface Trial {
  readonly candidate: Candidate;
  /** By validation row: 1 where it was right (or agreed with the teacher), else 0; undefined where it failed. */
  readonly hits?: Uint8Array;
  /** Why it could not be trained. */
  readonly failure?: string;
}

/** A difference of two candidates on the same rows. */
export interface Difference {
  readonly difference: number;
  /** One standard deviation of it, from rows and from seeds. */
  readonly noise: number;
}

type Judged = Pick<MethodChoice, 'method' | 'reason' | 'terms' | 'seedSpread' | 'evidence'>;

/**
 * The method that is worth the full schedule (docs/adr/0011). Plain KD or its standardised form, whichever is better;
 * a fancier loss in its place only where it wins by more than noise; the labels alone only where they win by more than
 * noise.
 *
 * Noise is the larger of two standard deviations of a difference: sqrt(n01 + n10 - (n01 - n10)^2 / n) / n, n01 and n10 the
 * rows that only one of the two gets right (paired, as McNemar's test), and the difference that two seeds of plain KD
 * make.
 */
export function judgeCandidates(trials: readonly Trial[]): Judged {
  const able = trials.filter(({ hits, candidate }) => hits && candidate.seed === 0) as Able[];
  const plain = able.find(({ candidate }) => candidate.role === 'plain');
  const twin = trials.find(({ candidate }) => candidate.seed === 1);
  const seedSpread = plain && twin?.hits ? Math.abs(scoreOf(plain.hits) - scoreOf(twin.hits)) : null;
  const compare = (one: Able, other: Able): Difference => compared(one.hits, other.hits, seedSpread ?? 0);
  const best = (...roles: readonly string[]): Able | undefined =>
    able
      .filter(({ candidate }) => roles.includes(candidate.role))
      // The first of equals: sorting is stable.
      .sort((a, b) => scoreOf(b.hits) - scoreOf(a.hits))[0];

  const control = best('control');
  const safe = best('plain', 'standardized');
  const rival = best('fancier');
  const promoted = safe && rival && isBeyond(compare(rival, safe));
  const distilled = promoted ? rival : (safe ?? rival);
  const chosen =
    distilled && control && isBeyond(compare(control, distilled)) ? control : (distilled ?? control);
  if (!chosen) {
    throw new RetortError('TRAIN_DIVERGED', `no method could be trained: ${trials[0]?.failure}`, {
      hint: 'Lower train.optimizer.learningRate, or set train.clipNorm.',
      problems: trials.map(({ candidate, failure }) => `${candidate.method}: ${failure}`),
    });
  }
  return {
    method: chosen.candidate.method,
    terms: chosen.candidate.terms,
    seedSpread,
    reason: reasonOf(chosen, distilled, control, safe, compare),
    evidence: trials.map((trial) => evidenceOf(trial, { chosen, safe, plain, distilled, compare })),
  };
}

type Able = Trial & { readonly hits: Uint8Array };
type Compare = (one: Able, other: Able) => Difference;

const isBeyond = ({ difference, noise }: Difference): boolean => difference > noise;

/** Without any row all are equal. */
const scoreOf = (hits: Uint8Array): number =>
  hits.reduce((sum, hit) => sum + hit, 0) / Math.max(1, hits.length);

function compared(one: Uint8Array, other: Uint8Array, seedSpread: number): Difference {
  const n = Math.max(1, one.length);
  let [only, missed] = [0, 0];
  for (let i = 0; i < one.length; i++) {
    if (one[i]! > other[i]!) only++;
    if (one[i]! < other[i]!) missed++;
  }
  const ofRows = Math.sqrt(Math.max(0, only + missed - (only - missed) ** 2 / n)) / n;
  return { difference: (only - missed) / n, noise: Math.max(ofRows, seedSpread) };
}

const points = (share: number): string => `${share > 0 ? '+' : ''}${(100 * share).toFixed(2)} points`;
const within = ({ difference, noise }: Difference): string =>
  `${points(difference)}, noise ${(100 * noise).toFixed(2)}`;

function reasonOf(
  chosen: Able,
  distilled: Able | undefined,
  control: Able | undefined,
  safe: Able | undefined,
  compare: Compare,
): string {
  const name = ({ candidate }: Able): string => candidate.method;
  if (!distilled) return 'no distillation could be trained, so the labels alone are learned';
  if (chosen === control) {
    return `none helps: the control was better than ${name(distilled)} (${within(compare(control, distilled))}), so the labels alone are learned`;
  }
  const over =
    safe && chosen !== safe
      ? `${name(chosen)} won over ${name(safe)} by more than noise (${within(compare(chosen, safe))})`
      : `${name(chosen)}: no fancier loss won by more than noise`;
  if (!control) return over;
  const gain = compare(chosen, control);
  return isBeyond(gain)
    ? `${over}; it is better than the control (${within(gain)})`
    : `${over}; none helps: the control was as good (${within(gain)}), distillation is kept for the full schedule, on which soft targets gain`;
}

interface Standing {
  readonly chosen: Able;
  readonly safe: Able | undefined;
  readonly plain: Able | undefined;
  readonly distilled: Able | undefined;
  readonly compare: Compare;
}

/** A fancier loss stands against the better of the safe ones, the control against what it would have to replace. */
function evidenceOf(trial: Trial, { chosen, safe, plain, distilled, compare }: Standing): Evidence {
  const { candidate, hits, failure } = trial;
  const { method, role, seed } = candidate;
  const none = { against: null, difference: null, noise: null };
  const name = seed === 0 ? method : `${method}, another seed`;
  if (!hits) return { method: name, role, score: null, ...none, verdict: `failed: ${failure}` };
  const score = scoreOf(hits);
  const rival = { plain, standardized: plain, fancier: safe, control: distilled }[role];
  const isTwin = seed > 0;
  if (!rival || rival.candidate === candidate) {
    return { method: name, role, score, ...none, verdict: trial === chosen ? 'chosen' : 'reference' };
  }
  const found = compare({ ...trial, hits }, rival);
  const verdict = isTwin
    ? 'what a seed makes'
    : trial === chosen
      ? 'chosen'
      : isBeyond(found)
        ? 'better, but not the best'
        : found.difference < -found.noise
          ? 'worse'
          : 'within noise';
  return { method: name, role, score, against: rival.candidate.method, ...found, verdict };
}
