import { RetortError } from '../errors.ts';

/** For `catch`: undefined where another writer was faster; every other error goes on. */
export function unlessConflict(error: unknown): undefined {
  if (error instanceof RetortError && error.code === 'STORE_CONFLICT') return undefined;
  throw error;
}
