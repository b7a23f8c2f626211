import assert from 'node:assert/strict';
import { test } from 'node:test';
import { activeValues } from '../../src/core/autodiff/activity.ts';
import { appendGradients } from '../../src/core/autodiff/backward.ts';
import { rulesBetween } from '../../src/core/autodiff/rules-between.ts';
import { GraphBuilder } from '../../src/core/onnx/builder.ts';
import { Random } from '../../src/core/random.ts';
import { checkGradient, withGradient } from '../support/check-gradient.ts';
import type { Case } from '../support/sample-graph.ts';

// x/2 (1 + erf(x / sqrt 2)) is differentiated as one, in whatever order an exporter multiplies.

const spellings: Readonly<Record<string, (b: GraphBuilder, x: string) => string>> = {
  'x (1 + erf), halved': (b, x) =>
    b.op('Mul', [b.op('Mul', [x, onePlusErf(b, over(b, x))]), b.constant(0.5)]),
  'half of x first': (b, x) => b.op('Mul', [b.op('Mul', [x, b.constant(0.5)]), onePlusErf(b, times(b, x))]),
  'half of (1 + erf) first': (b, x) =>
    b.op('Mul', [b.op('Mul', [b.constant(0.5), onePlusErf(b, times(b, x))]), x]),
};

const over = (b: GraphBuilder, x: string) => b.op('Div', [x, b.constant(Math.SQRT2)]);
const times = (b: GraphBuilder, x: string) => b.op('Mul', [b.constant(Math.SQRT1_2), x]);
const onePlusErf = (b: GraphBuilder, u: string) => b.op('Add', [b.op('Erf', [u]), b.constant(1)]);

function caseOf(spell: (b: GraphBuilder, x: string) => string): Case {
  const b = new GraphBuilder();
  const random = new Random(1, 'gelu');
  const x = b.input('x', 'float32', [3, 4]);
  const values = new Map([[x, Float32Array.from({ length: 12 }, () => 2 * random.normal())]]);
  return { b, wrt: [x], outputs: [spell(b, x)], values };
}

const addedOps = ({ b, outputs: [y], wrt }: Case): string[] => {
  const before = b.nodes.length;
  const dy = b.input('dy', 'float32', b.dims(y!));
  appendGradients(b, { outputs: new Map([[y!, dy]]), wrt, target: 'ort-cpu' });
  return b.nodes.slice(before).map(({ op }) => op);
};

for (const [name, spell] of Object.entries(spellings)) {
  test(`${name}: as finite differences have it, once and twice`, async () => {
    await checkGradient(() => caseOf(spell), 'ort-cpu');
    await checkGradient(() => withGradient(caseOf(spell), 'ort-cpu'), 'ort-cpu', 1e-2);
  });

  test(`${name}: in nine nodes`, () => {
    assert.equal(addedOps(caseOf(spell)).length, 9);
  });
}

test('a batch that is known by a name hides no GELU: uploaded students are looked at before theirs is set', () => {
  for (const [name, spell] of Object.entries(spellings)) {
    const b = new GraphBuilder();
    const x = b.input('x', 'float32', ['N', 4]);
    const y = spell(b, x);
    const steps = rulesBetween(b, activeValues(b, [x]), [y]);
    assert.deepEqual(
      steps.map(({ node }) => node.op),
      ['Gelu'],
      name,
    );
  }
});

const neighbours: typeof spellings = {
  'another half': (b, x) => b.op('Mul', [b.op('Mul', [x, onePlusErf(b, over(b, x))]), b.constant(0.4)]),
  'another scale': (b, x) =>
    b.op('Mul', [b.op('Mul', [x, onePlusErf(b, b.op('Mul', [x, b.constant(0.7)]))]), b.constant(0.5)]),
  'an inner value that something else reads': (b, x) => {
    const inner = onePlusErf(b, over(b, x));
    return b.op('Add', [inner, b.op('Mul', [b.op('Mul', [x, inner]), b.constant(0.5)])]);
  },
};

for (const [name, spell] of Object.entries(neighbours)) {
  test(`${name} is no GELU: the rules of its nodes apply`, async () => {
    assert.ok(!addedOps(caseOf(spell)).includes('HardSigmoid'));
    await checkGradient(() => caseOf(spell), 'ort-cpu');
  });
}

test('a gradient by an inner value goes by the rules of its nodes', () => {
  const b = new GraphBuilder();
  const x = b.input('x', 'float32', [2]);
  const u = over(b, x);
  const y = b.op('Mul', [b.op('Mul', [x, onePlusErf(b, u)]), b.constant(0.5)]);
  const { length } = b.nodes;
  appendGradients(b, { outputs: new Map([[y, b.constant([1, 1])]]), wrt: [x, u], target: 'ort-cpu' });
  assert.ok(!b.nodes.slice(length).some(({ op }) => op === 'HardSigmoid'));
});
