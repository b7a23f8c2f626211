import { RetortError } from '../errors.ts';

/** Work on one of several things, whose errors then say which one they speak of. */
export async function about<T>(what: string, work: () => T | Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (!(error instanceof RetortError) || error.code === 'CANCELLED') throw error;
    const { code, message, hint, problems, facts } = error;
    throw new RetortError(code, `${what}: ${message}`, {
      problems,
      facts,
      cause: error,
      ...(hint === undefined ? {} : { hint }),
    });
  }
}
