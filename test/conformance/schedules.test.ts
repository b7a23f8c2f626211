import assert from 'node:assert/strict';
import { test } from 'node:test';
import { resolveOptions } from '../../src/core/options.ts';
import { schedules } from '../../src/core/schedules/index.ts';
import { optimizerScalars } from '../../src/core/schedules/optimizer-scalars.ts';
import type { Schedule } from '../../src/core/schedules/schedule.ts';

const context = { totalSteps: 200, stepsPerEpoch: 20 };
const steps = Array.from({ length: context.totalSteps }, (_, i) => i);

for (const [key, entry] of Object.entries(schedules)) {
  const schedule: Schedule = entry;
  const curve = (options: Record<string, unknown>) => {
    const resolved = resolveOptions(schedule.options, options, key);
    return steps.map((step) => schedule.learningRate(step, context, resolved));
  };

  test(`${key}: is named by its key and stays within (0, 1] at its defaults`, () => {
    assert.equal(schedule.name, key);
    for (const rate of curve({})) assert.ok(rate > 0 && rate <= 1, `${rate}`);
  });

  test(`${key}: rises strictly through its warm-up and reaches the base rate at its end`, () => {
    const rates = curve({ warmup: 0.1 });
    for (let i = 1; i < 20; i++) assert.ok(rates[i]! > rates[i - 1]!, `step ${i}`);
    const peak = Math.max(...rates);
    assert.equal(peak, 1);
    assert.ok(Math.abs(rates.indexOf(peak) - 20) <= 1, `peak at ${rates.indexOf(peak)}`);
  });

  test(`${key}: refuses unknown options and a warm-up of the whole run`, () => {
    assert.throws(() => resolveOptions(schedule.options, { wramup: 0.1 }, key), { code: 'SPEC_INVALID' });
    assert.throws(() => resolveOptions(schedule.options, { warmup: 1 }, key), { code: 'SPEC_INVALID' });
  });
}

/** [step, learning rate, momentum] of torch.optim.lr_scheduler.OneCycleLR(max_lr=0.1, pct_start=0.1), torch 2.13. */
const torchOneCycle = {
  100: [
    [0, 0.0040000000000000036, 0.95],
    [1, 0.006894754202276393, 0.9469846310392954],
    [4, 0.04366488747198734, 0.9086824088833465],
    [9, 0.1, 0.85],
    [10, 0.0999695414727894, 0.8500304586490451],
    [50, 0.05695882721338308, 0.8930413449519967],
    [98, 3.0858527210615715e-5, 0.9499695413509548],
    [99, 4e-7, 0.95],
  ],
  2340: [
    [100, 0.04140915328870464, 0.9110321319909327],
    [232, 0.09999563692613404, 0.8500045448686103],
    [234, 0.09999994436844459, 0.8500000556317779],
    [1000, 0.07069065346311207, 0.879309463774743],
    [2339, 4e-7, 0.95],
  ],
} as const;

test('one-cycle equals OneCycleLR of PyTorch in learning rate and momentum', () => {
  const options = resolveOptions(schedules['one-cycle'].options, { warmup: 0.1 }, 'one-cycle');
  for (const [total, rows] of Object.entries(torchOneCycle)) {
    const run = { totalSteps: Number(total), stepsPerEpoch: 78 };
    for (const [step, rate, momentum] of rows) {
      const seen = 0.1 * schedules['one-cycle'].learningRate(step, run, options);
      assert.ok(Math.abs(seen - rate) < 1e-12, `${total}: rate ${seen} at ${step}, not ${rate}`);
      const cycled = schedules['one-cycle'].momentum!(step, run, options)!;
      assert.ok(
        Math.abs(cycled - momentum) < 1e-12,
        `${total}: momentum ${cycled} at ${step}, not ${momentum}`,
      );
    }
  }
});

test('cosine ends at its final part and is half way between at half the run', () => {
  const options = { warmup: 0, final: 0.2 };
  const at = (step: number) => schedules.cosine.learningRate(step, context, options);
  assert.equal(at(0), 1);
  assert.ok(Math.abs(at(100) - 0.6) < 1e-12);
  assert.ok(at(199) > 0.2 && at(199) < 0.2002);
});

test('step drops exactly at the steps its fractions name', () => {
  const options = { warmup: 0, at: [0.5, 0.75], factor: 0.1 };
  const rates = steps.map((step) => schedules.step.learningRate(step, context, options));
  assert.deepEqual([rates[99], rates[100], rates[149]], [1, 0.1, 0.1]);
  assert.ok(Math.abs(rates[150]! - 0.01) < 1e-15);
});

test('optimizer scalars carry the base rate, cycled momentum and constants, and do not depend on the chunking', () => {
  const sgd = { name: 'sgd', options: { learningRate: 0.1 } };
  const cycle = { name: 'one-cycle', options: { warmup: 0.1 } };
  const whole = optimizerScalars(sgd, cycle, context, 0, 200);
  const part = optimizerScalars(sgd, cycle, context, 70, 30);
  assert.deepEqual(part.learning_rate, whole.learning_rate!.slice(70, 100));
  assert.deepEqual(part.momentum, whole.momentum!.slice(70, 100));
  assert.ok(Math.abs(Math.max(...whole.learning_rate!) - 0.1) < 1e-8);
  assert.ok(Math.abs(whole.momentum![19]! - 0.85) < 1e-6);
  const plain = optimizerScalars(
    { name: 'adam', options: {} },
    { name: 'constant', options: {} },
    context,
    0,
    2,
  );
  assert.deepEqual(plain, {
    learning_rate: Float32Array.of(1e-3, 1e-3),
    momentum: Float32Array.of(0.9, 0.9),
  });
});
