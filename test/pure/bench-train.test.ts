import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Round } from '../../bench/train/contender.ts';
import { figuresOf, type WorkloadFigures } from '../../bench/train/figures.ts';
import { judgeMean, judgeWorkload } from '../../bench/train/judge.ts';
import { decodeStart, encodeStart } from '../../bench/train/start.ts';
import { programOf, workloads } from '../../bench/train/workloads.ts';
import { sizeOf, typedData } from '../../src/core/onnx/tensor.ts';

/** `sum(p.numel() for p in model.parameters())` of the networks in bench/peers/pytorch_train.py. */
const PARAMETERS = {
  mlp: 535_818,
  cnn: 458_570,
  resnet20: 272_474,
  mobilenet: 69_130,
  transformer: 1_314_826,
  gru: 307_210,
};

test('every workload trains as many numbers as its twin in PyTorch', () => {
  for (const [name, expected] of Object.entries(PARAMETERS)) {
    const { graph, parameters } = programOf(workloads[name]!);
    const sizes = parameters.map((parameter) => sizeOf(graph.initializers.get(parameter.name)!.dims));
    assert.equal(
      sizes.reduce((sum, size) => sum + size, 0),
      expected,
      name,
    );
  }
  assert.deepEqual(Object.keys(workloads).sort(), Object.keys(PARAMETERS).sort());
});

test('the start that both sides read gives back the parameters, the batch and one label per row', () => {
  const workload = workloads.gru!;
  const program = programOf(workload);
  const started = decodeStart(encodeStart(program, workload), program);
  for (const { name } of program.parameters) {
    const [was, is] = [program, started.program].map(({ graph }) => typedData(graph.initializers.get(name)!));
    assert.deepEqual(is, was);
  }
  const ids = started.batch.input!.data as BigInt64Array;
  assert.equal(ids.length, 32 * 64);
  assert.ok(ids.every((id) => id >= 0n && id < 4000n) && new Set(ids).size > 1000);
  const labels = started.batch.labels!.data as Float32Array;
  assert.equal(
    labels.reduce((sum, share) => sum + share, 0),
    32,
  );
});

const ready = { losses: [3, 2, 1], parameters: 10, engine: 'x' };
const round = (steps: number, cpuSeconds = 1): Round => ({
  steps,
  seconds: 1,
  cpuSeconds,
  outside: 0.01,
  peakMiB: 5,
});
const workload = (ratio: number, changes: Partial<WorkloadFigures> = {}): WorkloadFigures => {
  const pytorch = { eager: figuresOf(ready, [round(100)], [round(100)]) };
  const kernels = { onnxruntime: figuresOf(ready, [round(100 * ratio)], [round(100)]) };
  return { workload: 'mlp', isConvolutional: false, kernels, pytorch, best: 'eager', ...changes };
};

test('ratios are medians over turns, each taken beside PyTorch in the same turn', () => {
  const { ratio, cpuRatio, stepsPerSecond } = figuresOf(
    ready,
    [round(10), round(30), round(20)],
    [round(10), round(10), round(40, 8)],
  );
  assert.deepEqual([ratio, cpuRatio, stepsPerSecond], [1, 3, 20]);
});

test('missed targets and losses that differ are named; what was not measured is not judged', () => {
  assert.deepEqual(judgeWorkload(workload(1.2)), []);
  assert.match(judgeWorkload(workload(0.8)).join(), /onnxruntime: 0.80 of PyTorch, asked: 1/);
  assert.match(judgeWorkload(workload(0.6)).join(), /faster kernel: 0.60 of PyTorch, asked: 0.7/);
  const slow = judgeWorkload(workload(0.4, { isConvolutional: true }));
  assert.equal(slow.length, 1, 'a convolutional network may be slower on onnxruntime alone');
  assert.match(slow[0]!, /faster kernel/);
  for (const [losses, step] of [
    [[3.001, 2, 1], 1],
    [[3, 2.01, 1], 10],
    [[3, 2, Number.NaN], 50],
  ] as const) {
    const kernels = { onnxruntime: figuresOf({ ...ready, losses }, [round(200)], [round(100)]) };
    assert.match(judgeWorkload(workload(1, { kernels })).join(), new RegExp(`the loss of step ${step} is`));
  }
  const { best: _best, ...alone } = workload(0.1, {
    pytorch: {},
    kernels: { onnxruntime: figuresOf(ready, [round(1)], undefined) },
  });
  assert.deepEqual(judgeWorkload(alone), []);
  assert.deepEqual(judgeMean([alone]), { problems: [] });
});

test('the geometric mean of the faster kernel is asked to reach PyTorch', () => {
  assert.deepEqual(judgeMean([workload(2), workload(0.5)]).problems, []);
  assert.match(judgeMean([workload(1), workload(0.8)]).problems.join(), /geometric mean: 0.89/);
});
