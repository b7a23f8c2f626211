import { constant } from './constant.ts';
import { cosine } from './cosine.ts';
import { oneCycle } from './one-cycle.ts';
import type { Schedule } from './schedule.ts';
import { step } from './step.ts';

/** Learning-rate schedules by name. */
export const schedules = { constant, cosine, 'one-cycle': oneCycle, step } as const satisfies Record<
  string,
  Schedule
>;
