import { RetortError } from '../../errors.ts';

/** Work on a further teacher, whose errors then say which one they speak of. */
export async function aboutTeacher<T>(file: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (!(error instanceof RetortError) || error.code === 'CANCELLED') throw error;
    const { code, message, hint, problems, facts } = error;
    throw new RetortError(code, `further teacher "${file}": ${message}`, {
      problems,
      facts,
      cause: error,
      ...(hint === undefined ? {} : { hint }),
    });
  }
}
