import type { Model } from '../../core/onnx/model.ts';
import { chooseKernel } from '../choice/choose-kernel.ts';
import { consideredKernels } from '../choice/considered-kernels.ts';
import { measuredPlan } from '../choice/measured-plan.ts';
import { namedFiles } from '../named-files.ts';
import type { Stage } from '../stage.ts';
import { openRows } from '../training/open-rows.ts';
import { openRowsKey } from '../training/train-key.ts';
import { studentOf } from '../training/train-student.ts';

/**
 * Settles `kernel: auto` by measuring. A choice by the clock can come out either way, so it is made once and kept: its
 * record stands for every job with the same network on a machine with the same kernels, whatever the objective, that all
 * of them share one control.
 */
export const calibrate: Stage<'calibrate'> = {
  name: 'calibrate',
  summary: 'finds the faster kernel',
  version: 1,
  async key(done, context) {
    const { kernel, kernelReason, device, threads, batchSize, optimizer, clipNorm, ema } = context.spec.train;
    if (kernel !== 'auto') return { kernel, kernelReason };
    const recipe = { device, threads, batchSize, optimizer, clipNorm, ema };
    const { student, train } = context.spec;
    const considered = await consideredKernels(train, context.kernels);
    const own = student.kind === 'model' ? student.file : undefined;
    const others = namedFiles(context.spec).filter(({ role, file }) => role === 'student' && file !== own);
    return {
      ...openRowsKey(done, context.spec),
      student,
      // Left out where there are none, so that other choices keep the key they had.
      ...(others.length > 0 ? { others } : {}),
      recipe,
      considered,
    };
  },
  async run(done, context) {
    const { kernel, kernelReason } = context.spec.train;
    if (kernel !== 'auto') return { kernel, reason: kernelReason ?? 'asked for' };
    const rows = await openRows(done, context);
    try {
      let student: Promise<Model> | undefined;
      return await chooseKernel(async (measured) => {
        student ??= studentOf(done, context, rows);
        return measuredPlan(await student, done, rows, measured);
      }, context);
    } finally {
      await rows.dataset.close();
    }
  },
  settle({ calibrate: { kernel, reason } }, spec) {
    if (spec.train.kernel !== 'auto') return spec;
    return { ...spec, train: { ...spec.train, kernel, kernelReason: reason } };
  },
};
