import { RetortError } from '../../errors.ts';

/** A file that is not what its format says. */
export const unreadable = (name: string, why: string, hint?: string): RetortError =>
  new RetortError('DATA_UNREADABLE', `${name}: ${why}`, hint === undefined ? {} : { hint });
