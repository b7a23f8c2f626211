import type { Contender, Ready, Round } from './contender.ts';

/** Medians over rounds. */
export interface ContenderFigures extends Ready {
  readonly stepsPerSecond: number;
  /** Milliseconds of processor time per step. */
  readonly cpuMilliseconds: number;
  /** Speed to that of PyTorch's best variant, round by round; by time passed, and by processor time. */
  readonly ratio?: number;
  readonly cpuRatio?: number;
  readonly peakMiB: number;
  /** Share of the time in our own TypeScript around the engine. */
  readonly outside: number | null;
}

export interface WorkloadFigures {
  readonly workload: string;
  readonly isConvolutional: boolean;
  readonly kernels: Readonly<Record<string, ContenderFigures>>;
  readonly pytorch: Readonly<Record<string, ContenderFigures>>;
  /** The fastest variant of PyTorch. */
  readonly best?: string;
}

/** Lets all contenders take turns, `rounds` times, so that what else the machine does falls on all of them. */
export async function takeTurns(
  contenders: ReadonlyMap<string, Contender>,
  rounds: number,
  seconds: number,
): Promise<ReadonlyMap<string, readonly Round[]>> {
  const all = new Map([...contenders.keys()].map((name): [string, Round[]] => [name, []]));
  for (let i = 0; i < rounds; i++) {
    for (const [name, contender] of contenders) all.get(name)!.push(await contender.round(seconds));
  }
  return all;
}

/** Figures of one contender; `reference` are the rounds of PyTorch's best variant, turn by turn. */
export function figuresOf(
  ready: Ready,
  rounds: readonly Round[],
  reference: readonly Round[] | undefined,
): ContenderFigures {
  const shares = rounds.map(({ outside }) => outside).filter((share) => share !== null);
  return {
    ...ready,
    stepsPerSecond: medianRate(rounds),
    cpuMilliseconds: 1000 * median(rounds.map(cost)),
    ...(reference
      ? {
          ratio: median(rounds.map((round, i) => rate(round) / rate(reference[i]!))),
          cpuRatio: median(rounds.map((round, i) => cost(reference[i]!) / cost(round))),
        }
      : {}),
    peakMiB: Math.max(...rounds.map(({ peakMiB }) => peakMiB)),
    outside: shares.length === rounds.length ? median(shares) : null,
  };
}

export const medianRate = (rounds: readonly Round[]): number => median(rounds.map(rate));

const rate = ({ steps, seconds }: Round): number => steps / seconds;

const cost = ({ steps, cpuSeconds }: Round): number => cpuSeconds / steps;

function median(list: readonly number[]): number {
  const sorted = list.toSorted((a, b) => a - b);
  const half = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[half]! : (sorted[half - 1]! + sorted[half]!) / 2;
}
