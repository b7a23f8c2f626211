import { RetortError } from '../../errors.ts';

/** SPEC_INVALID where a batch has fewer rows than a loss compares: of fewer it would learn nothing. */
export function demandRows(loss: string, rows: number, least: number): void {
  if (rows >= least) return;
  throw new RetortError(
    'SPEC_INVALID',
    `/objective/terms: "${loss}" compares the rows of a batch and needs ${least}; a batch has ${rows}`,
    { hint: `Give train.batchSize ${least} or more.` },
  );
}
