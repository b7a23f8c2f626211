import { RetortError } from '../../errors.ts';

/** How the file driver's folder of a record ends. No word of an id may, so that a record is never taken for a folder of others. */
export const RECORD_FOLDER = '.job';

/** Record ids are words joined by '/', so that they name a place in any store and nothing outside it. */
export function recordName(id: string): string {
  const safe = id
    .split('/')
    .every((word) => /^[A-Za-z0-9_-][A-Za-z0-9._-]{0,150}$/.test(word) && !word.endsWith(RECORD_FOLDER));
  if (!safe || id.length > 400) {
    throw new RetortError('STORE_MISSING', `"${id.slice(0, 80)}" is no record id`, {
      hint: 'Ids are letters, digits, ".", "_" and "-", in parts joined by "/", none of which ends in ".job".',
    });
  }
  return id;
}
