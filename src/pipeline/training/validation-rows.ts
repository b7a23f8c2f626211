import type { Dataset } from '../../data/dataset.ts';
import { spread } from '../logits/score-rows.ts';

const LIMIT = 5000;

/** The validation rows that are looked at after every epoch: all, or some thousands evenly spread. */
export const validationRows = ({ splits }: Pick<Dataset, 'splits'>): Uint32Array =>
  spread(splits.validation, LIMIT);
