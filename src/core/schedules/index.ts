import type { Schedule } from './schedule.ts';

/** Learning-rate schedules by name. */
export const schedules = {} as const satisfies Record<string, Schedule>;
