import { isHard } from '../../core/strategies/terms.ts';
import type { ResolvedSpec } from '../../spec/resolved-spec.ts';

/** Warnings of losses that read labels alone, where no training row has one. `method: "auto"` sees to it itself. */
export function idleWarnings(
  labelled: number,
  { phases, method }: Pick<ResolvedSpec, 'phases' | 'method'>,
): readonly string[] {
  if (labelled > 0 || method === 'auto') return [];
  const idle = new Set(phases.flatMap(({ terms }) => terms.filter(isHard).map(({ loss }) => loss)));
  return [...idle].map((loss) => `no training row has a label, so "${loss}" teaches nothing`);
}
