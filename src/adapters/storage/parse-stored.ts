import { RetortError } from '../../errors.ts';

const REDONE =
  'Something outside Retort has changed it. Remove that record from the store (--store, <out>/.retort): its work is done again.';

/** The JSON a store holds of a record or event; STORE_CORRUPT where it is none. */
export function parseStored<T>(text: string, id: string): T {
  try {
    return JSON.parse(text) as T;
  } catch (cause) {
    throw new RetortError('STORE_CORRUPT', `the record of ${id} is damaged`, {
      cause,
      ...(/^(stage|shard)\//.test(id) ? { hint: REDONE } : {}),
    });
  }
}
