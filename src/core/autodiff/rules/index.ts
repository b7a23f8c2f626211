import type { GradientRule, GradientStop } from '../rule.ts';

const entries: readonly (GradientRule | GradientStop)[] = [];

/** Gradient rules and declared stops by operator (default domain). */
export const rules: ReadonlyMap<string, GradientRule | GradientStop> = new Map(
  entries.map((entry) => [entry.op, entry]),
);
