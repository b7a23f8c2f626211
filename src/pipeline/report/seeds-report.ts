import { intervalOf } from '../../core/interval.ts';
import type { SeedIntervals, SeedRun, SeedsReport } from './report.ts';

/** Means and confidence intervals over the seeds of a job. */
export function seedsReport(runs: readonly SeedRun[], delivered: number): SeedsReport {
  const names = Object.keys(runs[0]!.student);
  const found = names.flatMap((name) => {
    const intervals = intervalsOf(name, runs);
    return intervals ? [[name, intervals] as const] : [];
  });
  return { delivered, runs, intervals: Object.fromEntries(found) };
}

function intervalsOf(name: string, runs: readonly SeedRun[]): SeedIntervals | undefined {
  const numbers = (values: readonly unknown[]): readonly number[] | undefined =>
    values.every((value) => typeof value === 'number') ? values : undefined;
  const students = numbers(runs.map(({ student }) => student[name]));
  if (!students) return undefined;
  const controls = numbers(runs.map(({ control }) => control?.[name]));
  return {
    student: intervalOf(students)!,
    ...(controls
      ? {
          control: intervalOf(controls)!,
          difference: intervalOf(students.map((value, i) => value - controls[i]!))!,
        }
      : {}),
  };
}
