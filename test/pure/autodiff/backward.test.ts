import assert from 'node:assert/strict';
import { test } from 'node:test';
import { appendGradients } from '../../../src/core/autodiff/backward.ts';
import { GraphBuilder } from '../../../src/core/onnx/builder.ts';
import { tensor } from '../../../src/core/onnx/tensor.ts';
import { RetortError } from '../../../src/errors.ts';

const parameter = (b: GraphBuilder, name: string, dims: readonly number[]) =>
  b.initializer(name, tensor('float32', dims, new Float32Array(dims.reduce((n, d) => n * d, 1)).fill(0.5)));

const total = (b: GraphBuilder, value: string) => b.op('ReduceSum', [value], { keepdims: 0 });

const fails = (code: string, pattern: RegExp) => (error: unknown) =>
  error instanceof RetortError && error.code === code && pattern.test(error.message);

test('only nodes between the parameters and the loss are visited', () => {
  const b = new GraphBuilder();
  const x = b.input('x', 'float32', [2, 3]);
  const w = parameter(b, 'w', [3, 4]);
  const before = b.op('Custom', [x], {}, { domain: 'elsewhere', outputs: ['unknown'] });
  assert.equal(before, 'unknown');
  const y = b.op('MatMul', [x, w]);
  const loss = total(b, y);
  b.op('Erf', [y]);
  const count = b.nodes.length;
  const gradients = appendGradients(b, { outputs: loss, wrt: ['w'], target: 'ort-cpu' });
  const added = b.nodes.slice(count).map((node) => node.op);
  assert.deepEqual(b.dims(gradients.get('w')!), [3, 4]);
  assert.equal(added.filter((op) => op === 'Gemm').length, 1, `only dw, not dx: ${added}`);
  assert.ok(!added.includes('Exp'), 'the branch that does not reach the loss is left alone');
});

test('a parameter the loss does not depend on gets zeros, also behind a declared stop', () => {
  const b = new GraphBuilder();
  const w = parameter(b, 'w', [2]);
  const used = parameter(b, 'used', [2]);
  const away = parameter(b, 'away', [3]);
  const stopped = b.op('Cast', [b.op('Greater', [w, b.constant(0)])], { to: 1 });
  const loss = total(b, b.op('Add', [stopped, used]));
  const gradients = appendGradients(b, { outputs: loss, wrt: [w, used, away], target: 'ort-cpu' });
  for (const name of [w, away]) {
    const zeros = gradients.get(name)!;
    assert.deepEqual(b.dims(zeros), b.dims(name));
    const made = b.nodes.find((node) => node.outputs.includes(zeros))!;
    assert.equal(made.op, 'Expand');
    assert.deepEqual(b.type(made.inputs[0]!).constant?.dims, []);
  }
});

test('a missing rule names node, operator and path', () => {
  const b = new GraphBuilder();
  const w = parameter(b, 'w', [2]);
  const middle = b.op('Relu', [w], {}, { outputs: ['middle'] });
  b.node({
    op: 'Mystery',
    domain: 'elsewhere',
    name: 'odd',
    inputs: [middle],
    outputs: ['out'],
    attributes: {},
  });
  const loss = total(b, b.op('Reshape', ['out', b.ints([2])]));
  assert.throws(
    () => appendGradients(b, { outputs: new Map([[loss, loss]]), wrt: [w], target: 'ort-cpu' }),
    fails('GRAD_MISSING_RULE', /elsewhere\.Mystery "odd".*w -> middle -> out/),
  );
});

test('everything without a gradient is named at once, operators and options alike', () => {
  const refused = (build: (b: GraphBuilder, w: string) => string): readonly string[] => {
    const b = new GraphBuilder();
    const w = parameter(b, 'w', [4]);
    const loss = total(b, build(b, w));
    try {
      appendGradients(b, { outputs: new Map([[loss, loss]]), wrt: [w], target: 'ort-cpu' });
    } catch (error) {
      assert.ok(error instanceof RetortError && error.code === 'GRAD_MISSING_RULE');
      assert.match(error.message, /\(and 1 more\)$/);
      return error.problems;
    }
    return [];
  };
  const odd = (b: GraphBuilder, x: string, name: string): string => {
    const y = b.op('Det', [b.op('Reshape', [x, b.ints([2, 2])])], {}, { name });
    return b.op('Reshape', [b.op('Expand', [y, b.ints([4])]), b.ints([4])]);
  };
  const operators = refused((b, w) => odd(b, odd(b, w, 'first'), 'second'));
  assert.equal(operators.length, 2);
  for (const [i, name] of ['second', 'first'].entries())
    assert.match(operators[i]!, new RegExp(`Det "${name}"`));

  const padded = (b: GraphBuilder, x: string, name: string): string =>
    b.op('Pad', [x, b.ints([0, 0])], { mode: 'wrap' }, { name });
  const options = refused((b, w) => padded(b, padded(b, w, 'early'), 'late'));
  assert.equal(options.length, 2);
  for (const [i, name] of ['late', 'early'].entries()) assert.match(options[i]!, new RegExp(`Pad "${name}"`));
});

test('a parameter captured by a sub-graph is not silently constant', () => {
  const b = new GraphBuilder();
  const w = parameter(b, 'w', [2]);
  const condition = b.input('condition', 'bool', []);
  const branch = (op: string) => ({
    name: op,
    nodes: [{ op, domain: '', name: '', inputs: [w], outputs: [`${op}_out`], attributes: {} }],
    initializers: new Map(),
    inputs: [],
    outputs: [{ name: `${op}_out`, dtype: 'float32' as const, shape: [2] }],
    valueInfo: new Map(),
  });
  const y = b.op('If', [condition], {
    then_branch: { type: 'graph', value: branch('Relu') },
    else_branch: { type: 'graph', value: branch('Neg') },
  });
  assert.throws(
    () => appendGradients(b, { outputs: total(b, y), wrt: [w], target: 'ort-cpu' }),
    fails('GRAD_MISSING_RULE', /^If .*w -> /),
  );
});

test('a gradient asked of an index, or through an input that has none, is forbidden', () => {
  const b = new GraphBuilder();
  const indices = b.initializer('indices', tensor('int64', [2], [0, 1]));
  const table = parameter(b, 'table', [3, 2]);
  const loss = total(b, b.op('Gather', [table, indices]));
  assert.throws(
    () => appendGradients(b, { outputs: loss, wrt: [indices], target: 'ort-cpu' }),
    fails('GRAD_FORBIDDEN', /"indices" is int64/),
  );
  const slope = parameter(b, 'ratio', []);
  const dropped = b.op('Dropout', [table, b.op('Relu', [slope]), b.constant(1, 'bool')]);
  assert.throws(
    () => appendGradients(b, { outputs: total(b, dropped), wrt: [slope], target: 'ort-cpu' }),
    fails('GRAD_FORBIDDEN', /Dropout.*ratio -> /),
  );
});

test('a loss has one element', () => {
  const b = new GraphBuilder();
  const w = parameter(b, 'w', [2]);
  assert.throws(
    () => appendGradients(b, { outputs: b.op('Relu', [w]), wrt: [w], target: 'ort-cpu' }),
    fails('ONNX_SHAPE', /one element/),
  );
});

test('an intermediate value and what it depends on can be asked for together', () => {
  const b = new GraphBuilder();
  const w = parameter(b, 'w', [2, 2]);
  const middle = b.op('Tanh', [w]);
  const loss = total(b, b.op('Mul', [middle, middle]));
  const gradients = appendGradients(b, { outputs: loss, wrt: [middle, w], target: 'ort-cpu' });
  const used = b.nodes.find((node) => node.outputs.includes(gradients.get(w)!))!;
  assert.ok(used.inputs.includes(gradients.get(middle)!), 'dw is built on the whole of dmiddle');
});
