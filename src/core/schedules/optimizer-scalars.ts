import { optimizers } from '../optimizers/index.ts';
import type { Optimizer, OptimizerSpec } from '../optimizers/optimizer.ts';
import { entryOf, resolveOptions } from '../options.ts';
import { schedules } from './index.ts';
import type { Schedule, ScheduleContext, ScheduleSpec } from './schedule.ts';

/**
 * What a Chunk's `scalars` hold for the optimizer, steps [first, first + steps): `learning_rate`, and each scalar of
 * the optimizer at its option's value, `momentum` as the schedule says where it cycles it.
 */
export function optimizerScalars(
  optimizerSpec: OptimizerSpec,
  scheduleSpec: ScheduleSpec,
  context: ScheduleContext,
  first: number,
  steps: number,
): Record<string, Float32Array> {
  const optimizer = entryOf<Optimizer>(optimizers, optimizerSpec.name, 'optimizer');
  const schedule = entryOf<Schedule>(schedules, scheduleSpec.name, 'schedule');
  const options = resolveOptions(optimizer.options, optimizerSpec.options, optimizer.name);
  const scheduleOptions = resolveOptions(schedule.options, scheduleSpec.options, schedule.name);
  const base = Number(options.learningRate);
  const fill = (value: (step: number) => number) =>
    Float32Array.from({ length: steps }, (_, i) => value(first + i));
  const constants = Object.entries(optimizer.scalars).map(
    ([scalar, option]) => [scalar, fill(() => Number((options as Record<string, unknown>)[option]))] as const,
  );
  const result: Record<string, Float32Array> = {
    learning_rate: fill((step) => base * schedule.learningRate(step, context, scheduleOptions)),
    ...Object.fromEntries(constants),
  };
  const cycled = schedule.momentum?.(first, context, scheduleOptions) !== undefined;
  if (cycled && result.momentum) {
    result.momentum = fill((step) => schedule.momentum!(step, context, scheduleOptions)!);
  }
  return result;
}
