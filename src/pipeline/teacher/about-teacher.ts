import { about } from '../about.ts';

/** Work on a further teacher, whose errors then say which one they speak of. */
export const aboutTeacher = <T>(file: string, work: () => Promise<T>): Promise<T> =>
  about(`further teacher "${file}"`, work);
