import { t95 } from '../../src/core/interval.ts';
import { isOutcome, type MethodResult, type Outcome } from './method-result.ts';
import { CONTROL, type Method, PLAIN } from './methods.ts';

/** One row of the table; accuracies and differences in percent and points. */
export interface Row {
  readonly method: Method;
  /** Seeds with a figure. */
  readonly seeds: readonly number[];
  readonly accuracy: Spread | null;
  readonly agreement: Spread | null;
  /** By seed: this method's accuracy less the other's. */
  readonly toControl: Spread | null;
  readonly toPlain: Spread | null;
  /** Of the train stage in minutes, the least of the seeds: other work beside a run only adds. */
  readonly minutes: number | null;
  readonly cpuMinutes: number | null;
  /** The most of the seeds. */
  readonly peakMiB: number | null;
  readonly failures: readonly string[];
  readonly chosen: readonly string[];
}

export interface Spread {
  readonly mean: number;
  /** Standard deviation over seeds, n - 1; null for one seed. */
  readonly deviation: number | null;
  readonly count: number;
}

/** Whether a difference is larger than what seeds alone make, 95 %; unknown (false) with one seed. */
export const isBeyondNoise = ({ mean, deviation, count }: Spread): boolean =>
  deviation !== null && Math.abs(mean) > (t95(count - 1) * deviation) / Math.sqrt(count);

/** A row for every method that has a result. */
export function summarize(methods: readonly Method[], results: readonly MethodResult[]): readonly Row[] {
  const bySeed = (name: string): ReadonlyMap<number, Outcome> =>
    new Map(
      results.flatMap(({ method, seed, outcome }) =>
        method === name && isOutcome(outcome) ? [[seed, outcome] as const] : [],
      ),
    );
  const [control, plain] = [bySeed(CONTROL), bySeed(PLAIN)];
  return methods
    .filter(({ name }) => results.some(({ method }) => method === name))
    .map((method) => {
      const own = bySeed(method.name);
      const outcomes = [...own.values()];
      const paired = (other: ReadonlyMap<number, Outcome>): Spread | null =>
        spreadOf(
          [...own].flatMap(([seed, { accuracy }]) => {
            const theirs = other.get(seed);
            return theirs ? [100 * (accuracy - theirs.accuracy)] : [];
          }),
        );
      const least = (seconds: readonly number[]) => (seconds.length === 0 ? null : Math.min(...seconds) / 60);
      return {
        method,
        seeds: [...own.keys()].sort((a, b) => a - b),
        accuracy: spreadOf(outcomes.map(({ accuracy }) => 100 * accuracy)),
        agreement: spreadOf(outcomes.map(({ agreement }) => 100 * agreement)),
        toControl: method.name === CONTROL ? null : paired(control),
        toPlain: method.name === PLAIN ? null : paired(plain),
        minutes: least(outcomes.map(({ spent }) => spent.train)),
        cpuMinutes: least(outcomes.map(({ spent }) => spent.cpu)),
        peakMiB: outcomes.length === 0 ? null : Math.max(...outcomes.map(({ peakMiB }) => peakMiB)),
        failures: results.flatMap(({ method: name, seed, outcome }) =>
          name === method.name && !isOutcome(outcome) ? [`seed ${seed}: ${outcome.error}`] : [],
        ),
        chosen: outcomes.flatMap(({ chosen }) => chosen ?? []),
      };
    });
}

function spreadOf(values: readonly number[]): Spread | null {
  const count = values.length;
  if (count === 0) return null;
  const mean = values.reduce((sum, value) => sum + value, 0) / count;
  const squares = values.reduce((sum, value) => sum + (value - mean) ** 2, 0);
  return { mean, deviation: count === 1 ? null : Math.sqrt(squares / (count - 1)), count };
}
