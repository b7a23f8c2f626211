import type { Results } from '../results.ts';

/** What was found of the teachers, of files beside them and of their rows before any compute was spent. */
export const teacherWarnings = ({ inspect, qualify }: Pick<Results, 'inspect' | 'qualify'>): string[] => [
  ...inspect.card.warnings,
  ...(inspect.others ?? []).flatMap(({ file, card }) =>
    card.warnings.map((warning) => `further teacher "${file}": ${warning}`),
  ),
  ...inspect.warnings,
  ...qualify.warnings,
];
