import type { ResolvedSpec } from '../../spec/resolved-spec.ts';
import type { Results } from '../results.ts';
import { untaughtWarnings } from './untaught-warnings.ts';

/** What was found of the teachers, of files beside them, of their rows and of what they teach before any compute was spent. */
export const teacherWarnings = (
  { inspect, qualify }: Pick<Results, 'inspect' | 'qualify'>,
  spec: Pick<ResolvedSpec, 'phases'>,
): string[] => [
  ...inspect.card.warnings,
  ...(inspect.others ?? []).flatMap(({ file, card }) =>
    card.warnings.map((warning) => `further teacher "${file}": ${warning}`),
  ),
  ...inspect.warnings,
  ...qualify.warnings,
  ...untaughtWarnings(spec),
];
