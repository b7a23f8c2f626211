import { RetortError } from '../../errors.ts';

/** STORE_FULL in place of the system's word for a full disk or quota; every other error as it is. */
export function storeFull(error: unknown, what: string): unknown {
  const { code } = error as NodeJS.ErrnoException;
  if (code !== 'ENOSPC' && code !== 'EDQUOT') return error;
  return new RetortError('STORE_FULL', `there is no room left to store ${what}`, {
    cause: error,
    hint: 'Free space where the service keeps its files; nothing that was stored before is lost.',
  });
}
