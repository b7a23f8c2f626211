import * as tf from '@tensorflow/tfjs-core';
import { intAttribute, stringAttribute } from '../../../../core/onnx/attributes.ts';
import { RetortError } from '../../../../errors.ts';
import type { Inputs, Node, Operator, Operators } from './operator.ts';

/**
 * LSTM, GRU and RNN, unrolled. Letters: T steps, N sequences, I inputs, H units, G gates, D directions. What the gates
 * take from x is one matrix product for all steps; the rest goes step by step, over [N, H] states.
 */

/** One direction: x [T, N, G H] is what the gates take from the inputs, both biases' input halves included. */
interface Direction {
  readonly hidden: number;
  /** [G H, H] and [G H]. */
  readonly r: tf.Tensor;
  readonly rb: tf.Tensor;
}

/** The states after a step, h first; `x` [N, G H]. */
type Step = (x: tf.Tensor, states: readonly tf.Tensor[]) => tf.Tensor[];

/** What makes the steps of one direction of an operator. */
type Cell = (direction: Direction, node: Node) => Step;

const times = (a: tf.Tensor, matrix: tf.Tensor): tf.Tensor => tf.matMul(a, matrix, false, true);

const columns = (x: tf.Tensor, from: number, count: number): tf.Tensor =>
  tf.slice(x, [0, from], [x.shape[0]!, count]);

/** a = x + h' R^T in the order i, o, f, g; c = f c' + i g, h = o tanh(c). */
const lstm: Cell =
  ({ hidden, r, rb }) =>
  (x, [h, c]) => {
    const a = tf.add(tf.add(x, times(h!, r)), rb);
    const [i, o, f] = tf.split(tf.sigmoid(columns(a, 0, 3 * hidden)), 3, 1) as [
      tf.Tensor,
      tf.Tensor,
      tf.Tensor,
    ];
    const g = tf.tanh(columns(a, 3 * hidden, hidden));
    const next = tf.add(tf.mul(f, c!), tf.mul(i, g));
    return [tf.mul(o, tf.tanh(next)), next];
  };

/** z, r by sigmoid; n = tanh(x_n + r (h' Rn^T + b)), or tanh(x_n + (r h') Rn^T + b); h = (1 - z) n + z h'. */
const gru: Cell = ({ hidden, r, rb }, node) => {
  const linear = intAttribute(node, 'linear_before_reset', 0) === 1;
  const [gates, own] = tf.split(r, [2 * hidden, hidden], 0) as [tf.Tensor, tf.Tensor];
  const [gateBias, ownBias] = tf.split(rb, [2 * hidden, hidden], 0) as [tf.Tensor, tf.Tensor];
  return (x, [h]) => {
    const [given, ownGiven] = tf.split(x, [2 * hidden, hidden], 1) as [tf.Tensor, tf.Tensor];
    const [taken, ownTaken] = linear
      ? (tf.split(tf.add(times(h!, r), rb), [2 * hidden, hidden], 1) as [tf.Tensor, tf.Tensor])
      : [tf.add(times(h!, gates), gateBias), undefined];
    const [z, reset] = tf.split(tf.sigmoid(tf.add(given, taken)), 2, 1) as [tf.Tensor, tf.Tensor];
    const through = ownTaken ? tf.mul(reset, ownTaken) : tf.add(times(tf.mul(reset, h!), own), ownBias);
    const n = tf.tanh(tf.add(ownGiven, through));
    return [tf.add(n, tf.mul(z, tf.sub(h!, n)))];
  };
};

/** h = f(x + h' R^T), f tanh or relu. */
const rnn: Cell = ({ r, rb }, node) => {
  const bend = activations(node)?.[0] === 'Relu' ? tf.relu : tf.tanh;
  return (x, [h]) => [bend(tf.add(tf.add(x, times(h!, r)), rb))];
};

/** x [T, N, I], w [D, G H, I], r [D, G H, H], bias [D, 2 G H], states [D, N, H] -> [T, D, N, H], last states [D, N, H]. */
const unrolled =
  (cell: Cell, states: number): Operator =>
  (x, node) => {
    refuse(x, node);
    const value = x.tensor(0);
    const [steps, n] = value.shape as [number, number, number];
    const [count, rows, hidden] = x.tensor(2).shape as [number, number, number];
    const of = (i: number, k: number): tf.Tensor => tf.gather(x.tensor(i), k);
    const runs = Array.from({ length: count }, (_, k) => {
      const [wb, rb] = x.has(3) ? tf.split(of(3, k), 2) : [tf.zeros([rows]), tf.zeros([rows])];
      const flat = tf.reshape(value, [steps * n, value.shape[2]!]);
      const given = tf.reshape(tf.add(times(flat, of(1, k)), wb!), [steps, n, rows]);
      const initial = Array.from({ length: states }, (_, i) =>
        x.has(5 + i) ? of(5 + i, k) : tf.zeros([n, hidden]),
      );
      const step = cell({ hidden, r: of(2, k), rb: rb! }, node);
      const backwards = k === 1 || stringAttribute(node, 'direction', 'forward') === 'reverse';
      return overSteps(perStep(given), initial, step, backwards);
    });
    const last = Array.from({ length: states }, (_, i) => tf.stack(runs.map((run) => run.last[i]!)));
    return [
      tf.stack(
        runs.map((run) => tf.stack([...run.h])),
        1,
      ),
      ...last,
    ];
  };

/** [T, ...] cut into its T parts; tf.unstack gives no list where there is one part. */
const perStep = (x: tf.Tensor): tf.Tensor[] =>
  x.shape[0] === 1 ? [tf.reshape(x, x.shape.slice(1))] : tf.unstack(x);

/** h of every step, in the order of the steps, and the states after the last one taken. */
function overSteps(
  given: readonly tf.Tensor[],
  initial: readonly tf.Tensor[],
  step: Step,
  backwards: boolean,
) {
  const h = new Array<tf.Tensor>(given.length);
  let last = initial;
  for (let i = 0; i < given.length; i++) {
    const t = backwards ? given.length - 1 - i : i;
    last = step(given[t]!, last);
    h[t] = last[0]!;
  }
  return { h, last };
}

function activations(node: Node): readonly string[] | undefined {
  const stated = node.attributes.activations;
  return stated?.type === 'strings' ? stated.value.map((name) => new TextDecoder().decode(name)) : undefined;
}

const usual: Readonly<Record<string, readonly string[]>> = {
  GRU: ['Sigmoid', 'Tanh'],
  LSTM: ['Sigmoid', 'Tanh', 'Tanh'],
  RNN: ['Tanh'],
};

function refuse(x: Inputs, node: Node): void {
  const expected = usual[node.op]!;
  const stated = activations(node) ?? expected;
  const plain = stated.every((name, i) => name === expected[i % expected.length]);
  const bent = node.op === 'RNN' && stated.every((name) => name === 'Relu');
  const steps = x.laid(0).shape[0]!;
  const problems: readonly (readonly [boolean, string])[] = [
    [intAttribute(node, 'layout', 0) !== 0, 'layout 1'],
    [!(plain || bent) || node.attributes.clip !== undefined, 'own activations or clipping'],
    [x.has(4) && x.numbers(4)!.some((length) => length !== steps), 'sequences of different lengths'],
  ];
  const problem = problems.find(([is]) => is)?.[1];
  if (!problem) return;
  throw new RetortError('TRAIN_UNSUPPORTED', `${node.op} "${node.name}" has ${problem}, which tfjs lacks`, {
    hint: 'Use the onnxruntime kernel.',
  });
}

export const recurrent: Operators = {
  GRU: unrolled(gru, 1),
  LSTM: unrolled(lstm, 2),
  RNN: unrolled(rnn, 1),
};
