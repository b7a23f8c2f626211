import assert from 'node:assert/strict';
import { test } from 'node:test';
import { GraphBuilder } from '../../src/core/onnx/builder.ts';
import { numbers, tensor } from '../../src/core/onnx/tensor.ts';
import type { Parameter, Program, StatePair } from '../../src/core/program/program.ts';
import { kernels } from '../support/kernels.ts';
import { chunkOf, train } from '../support/training.ts';

/** docs/conventions.md, line by line, on every kernel. */

interface Linear {
  readonly optimizer: Program['optimizer'];
  readonly parameters?: readonly Parameter[];
  readonly clipNorm?: number;
  readonly ema?: { readonly decay: number };
}

/** loss = mean over two rows of <w, x> + <v, y>: the gradient is the mean row of the data, whatever the parameters. */
function linear({ parameters, ...rest }: Linear): Program {
  const b = new GraphBuilder();
  b.initializer('w', tensor('float32', [2], [1, -2]));
  b.initializer('v', tensor('float32', [1], [0.5]));
  const rows = (['w', 'v'] as const).map((name, i) => {
    const x = b.input(['x', 'y'][i]!, 'float32', [2, [2, 1][i]!]);
    return b.op('ReduceSum', [b.op('Mul', [x, name]), b.ints([1])], { keepdims: 0 });
  });
  b.op('ReduceMean', [b.op('Add', rows as [string, string])], { keepdims: 0 }, { outputs: ['loss'] });
  b.output('loss');
  return {
    graph: b.build('linear'),
    loss: 'loss',
    metrics: [],
    parameters: parameters ?? [
      { name: 'w', owner: 'student' },
      { name: 'v', owner: 'student' },
    ],
    state: [],
    batch: [
      { name: 'x', dtype: 'float32', dims: [2, 2] },
      { name: 'y', dtype: 'float32', dims: [2, 1] },
    ],
    noise: [],
    scalars: [],
    ...rest,
  };
}

/** Data whose mean rows are `w` and `v`: the gradients. */
const rowsAround = (w: readonly [number, number], v: number) => () => ({
  x: [w[0] + 1, w[1] - 3, w[0] - 1, w[1] + 3],
  y: [v - 5, v + 5],
});

/** A graph of one parameter or state, batch statistics and all; the loss is what `make` returns. */
function graphProgram(
  make: (b: GraphBuilder) => { loss: string; state?: readonly StatePair[]; parameters: readonly string[] },
  batch: Program['batch'],
  rest: Partial<Program> = {},
): Program {
  const b = new GraphBuilder();
  for (const { name, dtype, dims } of batch) b.input(name, dtype, dims);
  const { loss, state = [], parameters } = make(b);
  b.output(loss, ...state.map(({ next }) => next));
  return {
    graph: b.build('graph'),
    loss,
    metrics: [],
    parameters: parameters.map((name) => ({ name, owner: 'student' })),
    state,
    batch,
    noise: [],
    scalars: [],
    optimizer: { name: 'sgd', options: { learningRate: 0.5, momentum: 0 } },
    ...rest,
  };
}

function near(actual: readonly number[], expected: readonly number[], tolerance = 1e-6) {
  assert.equal(actual.length, expected.length);
  actual.forEach((value, i) => {
    assert.ok(Math.abs(value - expected[i]!) <= tolerance, `[${actual}] is not [${expected}]`);
  });
}

for (const kernel of kernels) {
  const after = async (program: Program, batch: Parameters<typeof train>[2], steps = 1) => {
    const { snapshot } = await train(kernel, program, batch, [steps]);
    return (name: string) => numbers(snapshot.tensors.get(name)!);
  };
  const gradient = async (program: Program, batch: Parameters<typeof train>[2], name: string) => {
    const trainer = await kernel.open(program, { device: 'cpu', threads: 1, seed: 0 });
    const { gradients } = await trainer.gradients(chunkOf(program, batch, 0, 1));
    await trainer.close();
    return [...gradients.get(name)!];
  };
  const sgd = { name: 'sgd', options: { learningRate: 0.5, momentum: 0 } };

  test(`${kernel.name}: means divide by the batch`, async () => {
    near(await gradient(linear({ optimizer: sgd }), rowsAround([0.25, -0.5], 2), 'w'), [0.25, -0.5]);
  });

  test(`${kernel.name}: clipping scales all gradients by one factor, from their norm taken together`, async () => {
    const value = await after(linear({ optimizer: sgd, clipNorm: 1 }), rowsAround([2, 3], 6));
    near(value('w'), [1 - 0.5 * (2 / 7), -2 - 0.5 * (3 / 7)]);
    near(value('v'), [0.5 - 0.5 * (6 / 7)]);
    const small = await after(linear({ optimizer: sgd, clipNorm: 1 }), rowsAround([0.2, 0.3], 0.6));
    near(small('w'), [1 - 0.1, -2 - 0.15]);
  });

  test(`${kernel.name}: gradients that are all zero survive clipping`, async () => {
    const value = await after(linear({ optimizer: sgd, clipNorm: 1 }), rowsAround([0, 0], 0));
    near(value('w'), [1, -2]);
  });

  test(`${kernel.name}: the epsilon of adam, adamw and rmsprop stands outside the root`, async () => {
    for (const name of ['adam', 'adamw']) {
      const options = { learningRate: 0.1, epsilon: 1e-3, weightDecay: 0 };
      const value = await after(linear({ optimizer: { name, options } }), rowsAround([1e-3, 0], 1));
      near(value('w'), [1 - 0.1 / 2, -2]);
    }
    const options = { learningRate: 0.1, alpha: 0.75, epsilon: 1e-3 };
    const value = await after(linear({ optimizer: { name: 'rmsprop', options } }), rowsAround([2e-3, 0], 1));
    near(value('w'), [1 - 0.1, -2]);
  });

  test(`${kernel.name}: decay is coupled in sgd, adam and rmsprop, decoupled in adamw`, async () => {
    const run = (name: string, options = {}) =>
      after(
        linear({ optimizer: { name, options: { learningRate: 0.1, weightDecay: 0.1, ...options } } }),
        rowsAround([0, 0], 0),
      );
    near((await run('sgd'))('w'), [1 - 0.1 * 0.1, -2 + 0.1 * 0.2]);
    near((await run('adam'))('w'), [1 - 0.1, -2 + 0.1]);
    near((await run('rmsprop', { alpha: 0.75 }))('w'), [1 - 0.1 * 2, -2 + 0.1 * 2], 2e-6);
    near((await run('adamw'))('w'), [1 - 0.01, -2 * (1 - 0.01)]);
  });

  test(`${kernel.name}: a parameter's multipliers act on its learning rate and its decay alone`, async () => {
    const parameters = [
      { name: 'w', owner: 'student', learningRate: 0.5, weightDecay: 0 },
      { name: 'v', owner: 'student' },
    ] as const;
    const optimizer = { name: 'sgd', options: { learningRate: 0.5, momentum: 0, weightDecay: 0.1 } };
    const value = await after(linear({ optimizer, parameters }), rowsAround([1, 2], 3));
    near(value('w'), [1 - 0.25 * 1, -2 - 0.25 * 2]);
    near(value('v'), [0.5 - 0.5 * (3 + 0.1 * 0.5)]);
  });

  test(`${kernel.name}: a frozen parameter stays as it is`, async () => {
    const program = linear({ optimizer: sgd, parameters: [{ name: 'v', owner: 'student' }] });
    const { snapshot } = await train(kernel, program, rowsAround([1, 2], 3), [2]);
    assert.deepEqual([...snapshot.tensors.keys()].sort(), ['slot:velocity:v', 'v']);
  });

  test(`${kernel.name}: moving averages start at the value and follow it after every step`, async () => {
    const program = linear({ optimizer: sgd, ema: { decay: 0.75 } });
    const value = await after(program, rowsAround([1, 0], 0), 2);
    near(value('w'), [0, -2]);
    const one = 0.75 * 1 + 0.25 * 0.5;
    near(value('ema:w'), [0.75 * one + 0.25 * 0, -2]);
  });

  const column = [1, 2, 4, 9, -3, 0];
  const normalised = (rest: Partial<Program> = {}) =>
    graphProgram(
      (b) => {
        const fill = (name: string, value: number) => b.initializer(name, tensor('float32', [1], [value]));
        const inputs = ['x', fill('scale', 1), fill('bias', 0), fill('mean', 0), fill('var', 1)];
        b.ops(
          'BatchNormalization',
          inputs,
          { training_mode: 1, momentum: { type: 'float', value: 0.9 } },
          { outputs: ['y', 'mean.next', 'var.next'] },
        );
        b.op('ReduceMean', [b.op('Mul', ['y', 'x'])], { keepdims: 0 }, { outputs: ['loss'] });
        const state = [
          { initial: 'mean', next: 'mean.next' },
          { initial: 'var', next: 'var.next' },
        ];
        return { loss: 'loss', state, parameters: ['scale', 'bias'] };
      },
      [{ name: 'x', dtype: 'float32', dims: [3, 1, 1, 2] }],
      rest,
    );
  const mean = column.reduce((a, b) => a + b) / 6;
  const biased = column.reduce((sum, x) => sum + (x - mean) ** 2, 0) / 6;

  test(`${kernel.name}: running statistics keep 0.9 of the old and take the biased batch variance`, async () => {
    const value = await after(normalised(), () => ({ x: column }));
    near(value('mean'), [0.1 * mean]);
    near(value('var'), [0.9 + 0.1 * biased], 1e-5);
  });

  test(`${kernel.name}: two normalisations with one scale and bias keep their own statistics`, async () => {
    const program = graphProgram(
      (b) => {
        const fill = (name: string, value: number) => b.initializer(name, tensor('float32', [1], [value]));
        const shared = [fill('scale', 1), fill('bias', 0)];
        const state = ['a', 'b'].flatMap((name, i) => {
          const x = b.op('Mul', ['x', b.constant(i + 1)]);
          const inputs = [x, ...shared, fill(`${name}.mean`, 0), fill(`${name}.var`, 1)];
          const outputs = [name, `${name}.mean.next`, `${name}.var.next`];
          b.ops('BatchNormalization', inputs, { training_mode: 1 }, { outputs });
          return ['mean', 'var'].map((kind) => ({
            initial: `${name}.${kind}`,
            next: `${name}.${kind}.next`,
          }));
        });
        b.op(
          'ReduceMean',
          [b.op('Mul', [b.op('Add', ['a', 'b']), 'x'])],
          { keepdims: 0 },
          { outputs: ['loss'] },
        );
        return { loss: 'loss', state, parameters: ['scale', 'bias'] };
      },
      [{ name: 'x', dtype: 'float32', dims: [3, 1, 1, 2] }],
    );
    const value = await after(program, () => ({ x: column }));
    near([...value('a.mean'), ...value('b.mean')], [0.1 * mean, 0.2 * mean]);
    near([...value('a.var'), ...value('b.var')], [0.9 + 0.1 * biased, 0.9 + 0.4 * biased], 1e-5);
    near(value('scale'), [1 - 0.5 * 2 * Math.sqrt(biased)], 1e-4);
  });

  test(`${kernel.name}: moving averages cover the running statistics too`, async () => {
    const value = await after(normalised({ ema: { decay: 0.75 } }), () => ({ x: column }));
    near(value('ema:mean'), [0.25 * 0.1 * mean]);
    near(value('ema:var'), [0.75 + 0.25 * (0.9 + 0.1 * biased)], 1e-5);
    assert.ok(Math.abs(value('ema:scale')[0]! - 1) > 1e-3, 'the scale has an average that moves');
  });

  test(`${kernel.name}: where a pooling window ties, the first winner takes the gradient`, async () => {
    const program = graphProgram(
      (b) => {
        b.initializer('w', tensor('float32', [1, 1, 2, 4], [1, 1, 0, 5, 1, 1, 5, 0]));
        const pooled = b.op('MaxPool', [b.op('Mul', ['w', 'x'])], { kernel_shape: [2, 2], strides: [2, 2] });
        const weighted = b.op('Mul', [pooled, b.constant([2, 3], 'float32', [1, 1, 1, 2])]);
        b.op('ReduceSum', [weighted], { keepdims: 0 }, { outputs: ['loss'] });
        return { loss: 'loss', parameters: ['w'] };
      },
      [{ name: 'x', dtype: 'float32', dims: [1, 1, 2, 4] }],
    );
    const ones = () => ({ x: [1, 1, 1, 1, 1, 1, 1, 1] });
    near(await gradient(program, ones, 'w'), [2, 0, 0, 3, 0, 0, 0, 0]);
  });

  test(`${kernel.name}: where a maximum ties, the first winner takes the gradient`, async () => {
    const program = graphProgram(
      (b) => {
        b.initializer('w', tensor('float32', [2, 3], [1, 4, 4, 2, 2, 2]));
        const most = b.op('ReduceMax', [b.op('Mul', ['w', 'x']), b.ints([1])], { keepdims: 0 });
        b.op('ReduceSum', [most], { keepdims: 0 }, { outputs: ['loss'] });
        return { loss: 'loss', parameters: ['w'] };
      },
      [{ name: 'x', dtype: 'float32', dims: [2, 3] }],
    );
    near(await gradient(program, () => ({ x: [1, 1, 1, 1, 1, 1] }), 'w'), [0, 1, 0, 1, 0, 0]);
  });

  test(`${kernel.name}: at its bounds Clip passes no gradient`, async () => {
    const program = graphProgram(
      (b) => {
        b.initializer('w', tensor('float32', [5], [-1, 0, 3, 6, 7]));
        const clipped = b.op('Clip', [b.op('Mul', ['w', 'x']), b.constant(0), b.constant(6)]);
        b.op('ReduceSum', [clipped], { keepdims: 0 }, { outputs: ['loss'] });
        return { loss: 'loss', parameters: ['w'] };
      },
      [{ name: 'x', dtype: 'float32', dims: [5] }],
    );
    near(await gradient(program, () => ({ x: [1, 1, 1, 1, 1] }), 'w'), [0, 0, 1, 0, 0]);
  });

  test(`${kernel.name}: an int64 id means the row it names, or is refused; it never wraps to int32`, async () => {
    const program = graphProgram(
      (b) => {
        b.initializer('w', tensor('float32', [3, 1], [1, 2, 3]));
        const rows = b.op('Gather', ['w', 'ids']);
        const weighted = b.op('Mul', [rows, b.constant([2, 3, 5], 'float32', [3, 1])]);
        b.op('ReduceSum', [weighted], { keepdims: 0 }, { outputs: ['loss'] });
        return { loss: 'loss', parameters: ['w'] };
      },
      [{ name: 'ids', dtype: 'int64', dims: [3] }],
    );
    near(await gradient(program, () => ({ ids: [2, 0, 2] }), 'w'), [3, 0, 7]);
    const wide = () => ({ ids: [2, 2 ** 32 + 1, 2] });
    const refused = (error: Error) =>
      'code' in error &&
      ['TRAIN_UNSUPPORTED', 'RUNTIME_FAILED', 'DATA_MISMATCH'].includes(String(error.code));
    await assert.rejects(gradient(program, wide, 'w'), refused);
    await assert.rejects(after(program, wide), refused);
  });

  test(`${kernel.name}: a loss that is no number ends the run and names the step`, async () => {
    const batch = (step: number) => ({
      ...rowsAround([1, 0], 0)(),
      ...(step === 3 ? { y: [Number.NaN, 0] } : {}),
    });
    const program = linear({ optimizer: sgd });
    const trainer = await kernel.open(program, { device: 'cpu', threads: 1, seed: 0 });
    await trainer.run(chunkOf(program, batch, 0, 2));
    await assert.rejects(trainer.run(chunkOf(program, batch, 2, 4)), (error: Error) => {
      return 'code' in error && error.code === 'TRAIN_DIVERGED' && /step 3\b/.test(error.message);
    });
    assert.equal((await trainer.snapshot()).step, 2);
    await trainer.close();
  });
}
