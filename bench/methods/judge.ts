import type { Row } from './summary.ts';

/** Points of accuracy by which something may lie below plain KD, or below the best. */
const LOGITS = 1;
const LABEL_FREE = 1.5;
const AUTO = 0.5;
/** Means of hundredths that are equal but for how they were added up. */
const EQUAL = 1e-9;

/**
 * What is expected of the table and not so, a line each; rows that are not there are not judged. Of a setting that is too
 * short to tell methods apart (`isFull` false) only that its runs end.
 */
export function judge(rows: readonly Row[], isFull = true): string[] {
  const failures = rows.flatMap(({ method, failures }) =>
    failures.map((failure) => `${method.name} failed, ${failure}`),
  );
  return isFull ? [...expected(rows), ...failures] : failures;
}

function expected(rows: readonly Row[]): string[] {
  const of = (name: string): Row | undefined => rows.find(({ method }) => method.name === name);
  const missed: string[] = [];
  const below = (row: Row | undefined, points: number): boolean =>
    row?.toPlain != null && row.toPlain.mean < -points - EQUAL;
  const how = ({ toPlain }: Row): string => `${toPlain!.mean.toFixed(2)} points to plain KD`;

  for (const row of rows) {
    const { name, kind, explanation, isLabelFree } = row.method;
    if (kind === 'logits' && !isLabelFree && !explanation && below(row, LOGITS)) {
      missed.push(`${name}: ${how(row)}, asked: at most ${LOGITS} below, or an explanation`);
    }
  }
  const standardized = of('kd-standardized');
  if (below(standardized, 0)) missed.push(`kd-standardized: ${how(standardized!)}, asked: not below`);
  const labelFree = of('label-free');
  if (below(labelFree, LABEL_FREE)) {
    missed.push(`label-free: ${how(labelFree!)}, asked: at most ${LABEL_FREE} below`);
  }
  const ensemble = of('ensemble');
  // Plain KD is from the best of its teachers.
  if (below(ensemble, 0))
    missed.push(`ensemble: ${how(ensemble!)}, asked: not below its best single teacher`);
  const auto = of('auto');
  // It chooses what is learned in the length it is given, so what had more is no measure for it.
  const rivals = rows.filter(({ method }) => (method.epochs ?? 1) <= 1);
  const top = best(rivals.filter(({ seeds }) => auto !== undefined && seeds.length >= auto.seeds.length));
  if (auto?.accuracy && top && auto.accuracy.mean < top.accuracy!.mean - AUTO - EQUAL) {
    missed.push(
      `auto: ${auto.accuracy.mean.toFixed(2)}, asked: at most ${AUTO} below ${top.accuracy!.mean.toFixed(2)} of ${top.method.name} (what trained longer left out)`,
    );
  }
  return missed;
}

const best = (rows: readonly Row[]): Row | undefined =>
  rows.filter(({ accuracy }) => accuracy !== null).sort((a, b) => b.accuracy!.mean - a.accuracy!.mean)[0];
