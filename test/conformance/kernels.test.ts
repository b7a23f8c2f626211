import assert from 'node:assert/strict';
import { test } from 'node:test';
import { tensorOf, typedData } from '../../src/core/onnx/tensor.ts';
import { buildProgram } from '../../src/core/program/build-program.ts';
import type { TrainingKernel } from '../../src/core/program/kernel.ts';
import type { Program } from '../../src/core/program/program.ts';
import { Random } from '../../src/core/random.ts';
import { students } from '../../src/core/students/index.ts';
import { kernels } from '../support/kernels.ts';
import { type BatchMaker, chunkOf, classBatches, relativeError, train } from '../support/training.ts';

/** What every kernel must do alike. Two kernels are each other's witness; finite differences are a third. */

interface Case {
  readonly program: Program;
  readonly batch: BatchMaker;
}

const CLASSES = 4;
const port = (inputShape: readonly number[]) => ({
  input: 'x',
  inputShape,
  output: 'logits',
  classes: CLASSES,
});
const crossEntropy = [{ loss: 'cross-entropy', weight: 1, options: {} }];
const nesterov = {
  name: 'sgd',
  options: { learningRate: 0.02, momentum: 0.9, nesterov: true, weightDecay: 5e-4 },
};

function caseOf(program: Program): Case {
  return { program, batch: classBatches(program, CLASSES) };
}

const cases: Readonly<Record<string, () => Case>> = {
  mlp: () =>
    caseOf(
      buildProgram({
        student: students.mlp.build(port([12]), { hidden: [16, 8], dropout: 0.2 }, 1),
        terms: crossEntropy,
        batchSize: 16,
        optimizer: { name: 'adam', options: { learningRate: 0.01 } },
        clipNorm: 1,
        ema: { decay: 0.9 },
      }),
    ),
  'conv-net': () =>
    caseOf(
      buildProgram({
        student: students['conv-net'].build(port([3, 8, 8]), { widths: [4, 8], head: 'flatten' }, 1),
        terms: crossEntropy,
        batchSize: 8,
        optimizer: nesterov,
      }),
    ),
  resnet: () =>
    caseOf(
      buildProgram({
        student: students.resnet.build(port([3, 8, 8]), { depth: 8, width: 4 }, 1),
        terms: crossEntropy,
        batchSize: 8,
        optimizer: nesterov,
        ema: { decay: 0.9 },
      }),
    ),
};

/** The Program with its parameters moved along `direction`, for finite differences. */
function moved(program: Program, direction: ReadonlyMap<string, Float32Array>, by: number): Program {
  const initializers = new Map(program.graph.initializers);
  for (const [name, along] of direction) {
    const value = initializers.get(name)!;
    const data = (typedData(value) as Float32Array).map((v, i) => v + by * along[i]!);
    initializers.set(name, tensorOf('float32', value.dims, data));
  }
  return { ...program, graph: { ...program.graph, initializers } };
}

async function gradientsOf(kernel: TrainingKernel, { program, batch }: Case) {
  const trainer = await kernel.open(program, { device: 'cpu', threads: 1, seed: 3 });
  const result = await trainer.gradients(chunkOf(program, batch, 0, 1));
  await trainer.close();
  return result;
}

for (const [name, make] of Object.entries(cases)) {
  for (const kernel of kernels) {
    const title = `${kernel.name}, ${name}`;

    test(`${title}: the gradient along a random direction is the slope of the loss`, async () => {
      const given = make();
      const { gradients } = await gradientsOf(kernel, given);
      const direction = new Map(
        [...gradients].map(([parameter, gradient]) => {
          const random = new Random(5, parameter);
          const norm = Math.hypot(...gradient) || 1;
          // Mostly along the gradient, so that the slope stands clear of rounding; partly random.
          return [
            parameter,
            gradient.map((g) => g / norm + (0.3 * random.normal()) / Math.sqrt(gradient.length)),
          ] as const;
        }),
      );
      let slope = 0;
      for (const [parameter, gradient] of gradients) {
        gradient.forEach((g, i) => {
          slope += g * direction.get(parameter)![i]!;
        });
      }
      const step = 1e-3;
      const at = async (by: number) =>
        (await gradientsOf(kernel, { ...given, program: moved(given.program, direction, by) })).loss;
      const measured = ((await at(step)) - (await at(-step))) / (2 * step);
      assert.ok(Math.abs(slope) > 0.1, `slope ${slope}`);
      assert.ok(
        Math.abs(measured - slope) < 0.01 * Math.abs(slope),
        `measured ${measured}, gradient ${slope}`,
      );
    });

    test(`${title}: learns, and any chunking and any resumption gives the same bits`, async () => {
      const { program, batch } = make();
      const whole = await train(kernel, program, batch, [50]);
      const first = whole.loss.slice(0, 5).reduce((a, b) => a + b) / 5;
      const last = whole.loss.slice(-5).reduce((a, b) => a + b) / 5;
      assert.ok(last <= 0.7 * first, `the loss went from ${first} to ${last}`);

      const pieces = await train(kernel, program, batch, [1, 20, 29]);
      assert.deepEqual(pieces, whole);
      const head = await train(kernel, program, batch, [13]);
      const tail = await train(kernel, program, batch, [37], { snapshot: head.snapshot });
      assert.deepEqual([...head.loss, ...tail.loss], whole.loss);
      assert.deepEqual(tail.snapshot, whole.snapshot);
    });
  }

  for (const [i, kernel] of kernels.entries()) {
    for (const witness of kernels.slice(0, i)) {
      const title = `${kernel.name} against ${witness.name}, ${name}`;

      test(`${title}: equal gradients at step 0, equal loss curves, equal snapshots`, async () => {
        const { program, batch } = make();
        const [own, other] = [
          await gradientsOf(kernel, { program, batch }),
          await gradientsOf(witness, { program, batch }),
        ];
        for (const [parameter, gradient] of own.gradients) {
          const error = relativeError(gradient, other.gradients.get(parameter)!);
          assert.ok(error <= 1e-4, `gradient of ${parameter} differs by ${error}`);
        }
        const [mine, theirs] = [
          await train(kernel, program, batch, [50]),
          await train(witness, program, batch, [50]),
        ];
        mine.loss.forEach((loss, step) => {
          const error = Math.abs(loss - theirs.loss[step]!);
          assert.ok(error <= 1e-3, `losses differ by ${error} at step ${step}`);
        });
        assert.deepEqual(
          [...mine.snapshot.tensors.keys()].sort(),
          [...theirs.snapshot.tensors.keys()].sort(),
        );
      });

      test(`${title}: a checkpoint of one goes on in the other`, async () => {
        const { program, batch } = make();
        const whole = await train(witness, program, batch, [30]);
        for (const [from, to] of [
          [kernel, witness],
          [witness, kernel],
        ] as const) {
          const { snapshot } = await train(from, program, batch, [15]);
          const { loss } = await train(to, program, batch, [15], { snapshot });
          loss.forEach((value, step) => {
            const error = Math.abs(value - whole.loss[15 + step]!);
            assert.ok(
              error <= 1e-3,
              `${from.name} to ${to.name}: losses differ by ${error} at step ${15 + step}`,
            );
          });
        }
      });
    }
  }
}
