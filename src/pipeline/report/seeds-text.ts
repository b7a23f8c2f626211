import type { Interval } from '../../core/interval.ts';
import type { Report } from './report.ts';

const percent = (value: number): string => (100 * value).toFixed(2);

const around = ({ mean, low, high }: Interval): string =>
  `${percent(mean)} [${percent(low!)}, ${percent(high!)}]`;

/** What several seeds say of the method, one line per figure; nothing where there was one. */
export function seedsLines({ seeds }: Report): readonly string[] {
  if (!seeds) return [];
  const { runs, delivered, intervals } = seeds;
  const lines = ['accuracy', 'agreement'].flatMap((name) => {
    const found = intervals[name];
    if (!found) return [];
    const { student, control, difference } = found;
    const parts = [
      `student ${around(student)} %`,
      ...(control ? [`control ${around(control)} %`] : []),
      ...(difference ? [`difference ${around(difference)} points`] : []),
    ];
    return [`${name} over ${runs.length} seeds, mean [95 % interval]: ${parts.join(', ')}`];
  });
  const { seed } = runs[delivered]!;
  return [...lines, `delivered is seed ${delivered + 1} of ${runs.length} (${seed}), the best on validation`];
}
