import { RetortError } from '../errors.ts';

/** What a stage throws when its signal says stop, after it has saved its work. */
export const cancelled = (stage: string): RetortError =>
  new RetortError('CANCELLED', `stopped in the stage "${stage}"`, {
    hint: 'Run the same command again to go on from where it stopped.',
  });
