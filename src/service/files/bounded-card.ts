import { RetortError } from '../../errors.ts';

/** Characters of JSON. Lists hold a hundred cards, and passes over the records two hundred. */
const LARGEST = 2 ** 19;

/** The card itself, where it is small enough to be kept in a record. */
export function boundedCard<T>(card: T): T {
  const size = JSON.stringify(card).length;
  if (size <= LARGEST) return card;
  throw new RetortError(
    'SANDBOX_LIMIT',
    `the description of the file has ${size} characters; ${LARGEST} are kept`,
    { hint: 'Use fewer inputs, outputs or columns, or shorter names.' },
  );
}
