import { RetortError } from '../../errors.ts';

/** What a server answers; CANCELLED with `hint` where the user stops waiting for it. */
export async function answered<T>(answer: Promise<T>, signal: AbortSignal, hint: string): Promise<T> {
  try {
    return await answer;
  } catch (error) {
    if (!signal.aborted) throw error;
    throw new RetortError('CANCELLED', 'stopped before the server had answered', { hint });
  }
}
