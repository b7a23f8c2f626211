import assert from 'node:assert/strict';
import { test } from 'node:test';
import { kl } from '../../src/core/losses/kl.ts';
import { buildProgram } from '../../src/core/program/build-program.ts';
import type { Chunk } from '../../src/core/program/kernel.ts';
import { objectiveScalars } from '../../src/core/program/objective-scalars.ts';
import { Random } from '../../src/core/random.ts';
import { optimizerScalars } from '../../src/core/schedules/optimizer-scalars.ts';
import { students } from '../../src/core/students/index.ts';
import { resolveObjective } from '../../src/spec/resolve-objective.ts';
import { kernels } from '../support/kernels.ts';
import { relativeError } from '../support/training.ts';

// A temperature that is learned against the student (CTKD), on every kernel.

const [B, C, STEPS] = [6, 3, 48];
const OWN = 'objective/term:kl/temperature';
const sgd = { name: 'sgd', options: { learningRate: 0.5, momentum: 0, weightDecay: 0.1 } };
const { terms } = resolveObjective({ terms: [{ loss: 'kl', temperature: 'learned' }] });
const port = { input: 'x', inputShape: [5], output: 'logits', classes: C };
const program = buildProgram({
  student: students.mlp.build(port, { hidden: [], dropout: 0 }, 1),
  terms,
  batchSize: B,
  optimizer: sgd,
});

const drawn = (name: string, size: number, scale: number): Float32Array => {
  const random = new Random(3, name);
  return Float32Array.from({ length: size }, () => scale * random.normal());
};
const [x, teacher] = [drawn('x', B * 5, 1), drawn('teacher', B * C, 6)];

/** The same batch at every step. */
function chunk(first: number, steps: number): Chunk {
  const repeated = (rows: Float32Array, width: number) => {
    const data = new Float32Array(steps * rows.length);
    for (let k = 0; k < steps; k++) data.set(rows, k * rows.length);
    return { dtype: 'float32' as const, dims: [steps, B, width], data };
  };
  const length = { totalSteps: STEPS, stepsPerEpoch: STEPS };
  return {
    steps,
    feeds: { x: repeated(x, 5), teacher_logits: repeated(teacher, C) },
    scalars: {
      ...optimizerScalars(sgd, { name: 'constant', options: {} }, length, first, steps),
      ...objectiveScalars(terms, STEPS, first, steps),
    },
  };
}

const rows = (flat: ArrayLike<number>): number[][] =>
  Array.from({ length: B }, (_, i) => Array.from({ length: C }, (_, c) => flat[i * C + c]!));

/** The loss at temperature 1 + 20 sigmoid(g), by plain numbers, for the untrained student. */
function lossAt(g: number): number {
  const { data: weight } = initialOf('.weight');
  const { data: bias } = initialOf('.bias');
  const logits = Array.from({ length: B * C }, (_, i) => {
    const [row, c] = [Math.floor(i / C), i % C];
    let sum = bias[c]!;
    for (let k = 0; k < 5; k++) sum += x[row * 5 + k]! * weight[c * 5 + k]!;
    return sum;
  });
  const numbers = { studentLogits: rows(logits), teacherLogits: rows(teacher), labels: rows(teacher) };
  return kl.reference({ ...numbers, temperature: 1 + 20 / (1 + Math.exp(-g)) }, { standardize: false });
}

function initialOf(ending: string) {
  const { name } = program.parameters.find((each) => each.name.endsWith(ending))!;
  const { bytes } = program.graph.initializers.get(name)!;
  return { data: new Float32Array(bytes.slice().buffer) };
}

for (const kernel of kernels) {
  const open = () => kernel.open(program, { device: 'cpu', threads: 1, seed: 0 });

  test(`${kernel.name}: it starts at 4, and its gradient is that of the loss, turned around and scaled`, async () => {
    const trainer = await open();
    const g = Math.log(3 / 17);
    const slope = (lossAt(g + 1e-4) - lossAt(g - 1e-4)) / 2e-4;
    assert.ok(Math.abs(slope) > 0.1);
    for (const lambda of [0, 0.5, 1]) {
      const given = chunk(0, 1);
      const scalars = { ...given.scalars, 'term:kl:reversal': Float32Array.of(lambda) };
      const { loss, gradients } = await trainer.gradients({ ...given, scalars });
      assert.ok(Math.abs(loss / lossAt(g) - 1) < 1e-5, `${loss} against ${lossAt(g)}`);
      const made = gradients.get(OWN)![0]!;
      assert.ok(Math.abs(made + lambda * slope) < 1e-3 * Math.abs(slope), `${made}, ${lambda} of ${slope}`);
    }
    await trainer.close();
  });

  test(`${kernel.name}: it stays where the first step finds it, then goes where the loss is larger, not decayed`, async () => {
    const trainer = await open();
    const { metrics } = await trainer.run(chunk(0, STEPS));
    await trainer.close();
    const t = metrics['term:kl:temperature']!;
    assert.ok(Math.abs(t[0]! - 4) < 1e-5 && Math.abs(t[1]! - 4) < 1e-5, `${t[0]}, ${t[1]}`);
    const g = Math.log(3 / 17);
    const uphill = Math.sign(lossAt(g + 1e-3) - lossAt(g));
    assert.equal(Math.sign(t[3]! - t[2]!), uphill, `${t.slice(0, 6)}`);
    assert.ok(t.every((value) => value > 1 && value < 21));
  });
}

test('both kernels learn the same temperature', async () => {
  const curves: Float32Array[] = [];
  for (const kernel of kernels) {
    const trainer = await kernel.open(program, { device: 'cpu', threads: 1, seed: 0 });
    curves.push((await trainer.run(chunk(0, STEPS))).metrics['term:kl:temperature']!);
    await trainer.close();
  }
  for (const curve of curves) assert.ok(relativeError(curve, curves[0]!) < 1e-4);
});
