import type { StudentArchitecture } from './student.ts';

/** Student architectures by name. */
export const students = {} as const satisfies Record<string, StudentArchitecture>;
