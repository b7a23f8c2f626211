import type { ResolvedSpec } from '../../spec/resolved-spec.ts';

/** Warnings of what seeds do not vary: an uploaded student begins with the weights of its file, whichever the seed. */
export function seedWarnings({
  student,
  seeds,
  method,
  choice,
}: Pick<ResolvedSpec, 'student' | 'seeds' | 'method' | 'choice'>): readonly string[] {
  if (student.kind !== 'model') return [];
  const cause = `"${student.file}" begins with its own weights whatever the seed`;
  return [
    ...(seeds > 1
      ? [
          `${cause}: the intervals of ${seeds} seeds hold what the order of rows makes, not what other initial weights would`,
        ]
      : []),
    ...(method === 'auto' || choice
      ? [
          `${cause}: the noise of seeds by which "auto" chooses holds only what the order of rows makes, so a loss wins more easily`,
        ]
      : []),
  ];
}
