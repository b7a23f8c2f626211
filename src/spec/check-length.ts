import type { Phase } from '../core/strategies/phase.ts';
import { phaseLengths } from '../core/strategies/phase-lengths.ts';
import { RetortError } from '../errors.ts';
import type { ResolvedTrain } from './resolved-spec.ts';

/**
 * SPEC_INVALID where phases that go on from one another are too many for the length: each makes one epoch, or step, at
 * least, and so the student would make more than its control. One student in one phase may be as short as it likes.
 */
export function checkLength(
  strategy: string,
  phases: readonly Phase[],
  { length }: Pick<ResolvedTrain, 'length'>,
): void {
  const [unit, whole] = Object.entries(length)[0] as [string, number];
  const lengths = phaseLengths(phases, whole);
  const over = phases.find(({ name, from }) => {
    const { start, count, end } = lengths.get(name)!;
    return from !== undefined && start + count > end;
  });
  if (!over) return;
  const chained = phases.filter(
    ({ name, from }) => from !== undefined || phases.some((next) => next.from === name),
  );
  // Rounded ends of shares lie apart where the shares themselves make one.
  const least = Math.min(...chained.map(({ share }) => share));
  const enough = Math.ceil(Number((1 / least).toPrecision(12)));
  const steps = unit === 'epochs' ? ', count the length in train.steps,' : '';
  throw new RetortError(
    'SPEC_INVALID',
    `/train: ${whole} ${unit} are too few for the phases of "${strategy}": nothing is left for "${over.name}"`,
    {
      hint: `Give train.${unit} ${enough} or more${steps} or choose options of "${strategy}" that make fewer phases, or more even ones.`,
    },
  );
}
