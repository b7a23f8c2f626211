import { intAttribute, stringAttribute } from '../../onnx/attributes.ts';
import type { GraphBuilder } from '../../onnx/builder.ts';
import type { Node } from '../../onnx/model.ts';
import { arithmetic } from '../emit/arithmetic.ts';
import { gates, overSteps, perStep } from '../emit/recurrent.ts';
import type { Composition } from './composition.ts';

/** Whether gates see the cell, or one stands for two: then no engine but onnxruntime's CPU has the operator. */
export const isUnusualLstm = (node: Node): boolean =>
  node.op === 'LSTM' && (Boolean(node.inputs[7]) || intAttribute(node, 'input_forget', 0) !== 0);

/** What one direction gives: h of every step, in the order of the steps, and the states after the last one taken. */
interface Run {
  readonly steps: readonly string[];
  readonly last: readonly [string, string];
}

/**
 * LSTM step by step, with peepholes: i = s(a_i + p_i c'), f = s(a_f + p_f c') or, coupled, 1 - i; c = f c' + i tanh(a_g),
 * o = s(a_o + p_o c), h = o tanh(c), where a = x W^T + h' R^T + bias and primes are the step before.
 */
export const lstm: Composition = (b, node) => {
  const direction = stringAttribute(node, 'direction', 'forward');
  const count = b.dims(node.inputs[1]!)[0]!;
  const runs = Array.from({ length: count }, (_, k) => run(b, node, k, k === 1 || direction === 'reverse'));
  const stacked = (values: readonly string[], axis: number): string => {
    const lifted = values.map((value) => b.op('Unsqueeze', [value, b.ints([axis])]));
    return lifted.length === 1 ? lifted[0]! : b.op('Concat', lifted, { axis });
  };
  return [
    stacked(
      runs.map(({ steps }) => overSteps(b, steps)),
      1,
    ),
    stacked(
      runs.map(({ last }) => last[0]),
      0,
    ),
    stacked(
      runs.map(({ last }) => last[1]),
      0,
    ),
  ];
};

function run(b: GraphBuilder, node: Node, k: number, reverse: boolean): Run {
  const x = node.inputs[0]!;
  const [length, batch] = b.dims(x) as [number, number];
  const hidden = b.dims(node.inputs[2]!)[2]!;
  const m = arithmetic(b, b.dtype(x));
  const given = (i: number): string | undefined =>
    node.inputs[i] ? b.op('Gather', [node.inputs[i], b.constant(k, 'int64')]) : undefined;
  const [w, r] = [1, 2].map((i) => b.op('Transpose', [given(i)!], { perm: [1, 0] })) as [string, string];
  const bias = given(3);
  const halves = bias ? gates(b, bias, 4 * hidden) : [];
  const fromInputs = halves.reduce((sum, half) => m.add(sum, half), b.op('MatMul', [x, w]));
  const peepholes = given(7);
  const [pi, po, pf] = peepholes ? gates(b, peepholes, hidden) : [];
  const seen = (a: string, p: string | undefined, c: string) => (p ? m.add(a, m.mul(p, c)) : a);
  const coupled = intAttribute(node, 'input_forget', 0) !== 0;

  const none = () => b.op('Expand', [m.number(0), b.ints([batch, hidden])]);
  let [h, c] = [given(5) ?? none(), given(6) ?? none()];
  const perInput = perStep(b, fromInputs);
  const steps = new Array<string>(length);
  for (let step = 0; step < length; step++) {
    const t = reverse ? length - 1 - step : step;
    const a = m.add(perInput[t]!, b.op('MatMul', [h, r]));
    const [ai, ao, af, ag] = gates(b, a, hidden) as [string, string, string, string];
    const i = m.sigmoid(seen(ai, pi, c));
    const f = coupled ? m.sub(1, i) : m.sigmoid(seen(af, pf, c));
    c = m.add(m.mul(f, c), m.mul(i, m.tanh(ag)));
    h = m.mul(m.sigmoid(seen(ao, po, c)), m.tanh(c));
    steps[t] = h;
  }
  return { steps, last: [h, c] };
}
