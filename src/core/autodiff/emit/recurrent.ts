import { RetortError } from '../../../errors.ts';
import { intAttribute, stringAttribute } from '../../onnx/attributes.ts';
import type { GraphBuilder } from '../../onnx/builder.ts';
import type { Node } from '../../onnx/model.ts';
import { numbers } from '../../onnx/tensor.ts';
import type { RuleContext, RuleSample } from '../rule.ts';
import { zerosLike } from '../zeros-like.ts';
import { type Arithmetic, arithmetic } from './arithmetic.ts';

/**
 * What the gradients of LSTM, GRU and RNN share. Letters: T steps, N sequences, I inputs, H units, G gates, D directions.
 * The forward pass is not unrolled again: Y holds every h_t, so all gates of all steps come from two matrix products;
 * only what truly is a recurrence (cell states, dh) goes step by step, as T small groups of nodes.
 */
export interface Direction {
  readonly b: GraphBuilder;
  readonly m: Arithmetic;
  readonly steps: number;
  readonly hidden: number;
  /** [T, N, I], in the order in which this direction reads. */
  readonly x: string;
  /** [G H, I], [G H, H]. */
  readonly w: string;
  readonly r: string;
  /** [G H] each, zeros where the node has no bias. */
  readonly wb: string;
  readonly rb: string;
  /** h of every step, and of the step before it: [T, N, H]. */
  readonly h: string;
  readonly before: string;
  /** Initial state i (0: h, 1: c): [N, H]. */
  initial(i: 0 | 1): string;
  /** The cotangents of h at every step, T times [N, H]; that of Y_h is in the last. */
  readonly dh: readonly string[];
  /** The cotangent of the last cell state [N, H], if any. */
  readonly dc: string | undefined;
  /** a [.., K] times the transpose of matrix [M, K]. */
  times(a: string, matrix: string): string;
  /** The sum over steps and sequences of a[t, n]^T b[t, n]. */
  correlate(a: string, b: string): string;
}

/** Gradients of one direction, without its axis: x [T, N, I], w, r, bias [2 G H], initial states. */
export interface DirectionGradient {
  readonly x: string;
  readonly w: string;
  readonly r: string;
  readonly bias: string;
  readonly initial: readonly string[];
}

/** Runs `gradient` for each direction and joins the results into the gradients of the node's inputs. */
export function recurrent(
  c: RuleContext,
  gradient: (d: Direction) => DirectionGradient,
): (string | undefined)[] {
  refuseUnusual(c);
  const { b } = c;
  const count = b.dims(c.x(1))[0]!;
  const reversed = (k: number) => k === 1 || stringAttribute(c.node, 'direction', 'forward') === 'reverse';
  // Y may be left out of the node's outputs; then the node is run again for it.
  const y = c.node.outputs[0] || b.ops(c.node.op, c.node.inputs, c.node.attributes, { outputs: 1 })[0]!;
  const parts = Array.from({ length: count }, (_, k) => {
    const result = gradient(view(c, y, k, reversed(k)));
    return { ...result, x: reversed(k) ? flip(b, result.x) : result.x };
  });
  const stack = (names: readonly string[]) => {
    const lifted = names.map((name) => b.op('Unsqueeze', [name, b.ints([0])]));
    return lifted.length === 1 ? lifted[0] : b.op('Concat', lifted, { axis: 0 });
  };
  const gradients = [
    parts.map((p) => p.x).reduce((left, right) => b.op('Add', [left, right])),
    stack(parts.map((p) => p.w)),
    stack(parts.map((p) => p.r)),
    stack(parts.map((p) => p.bias)),
    undefined,
    stack(parts.map((p) => p.initial[0]!)),
    parts[0]!.initial[1] === undefined ? undefined : stack(parts.map((p) => p.initial[1]!)),
  ];
  return c.node.inputs.map((name, i) => (name === '' ? undefined : gradients[i]));
}

/** GRAD_MISSING_RULE for what no rule of a recurrent layer knows. */
export function refuseUnusual(c: RuleContext): void {
  const { node } = c;
  const steps = c.b.dims(c.x(0))[0]!;
  const problem =
    intAttribute(node, 'layout', 0) !== 0
      ? 'layout 1'
      : node.attributes.clip || !usual(node)
        ? 'own activations or clipping'
        : c.hasX(4) && numbers(c.constant(4)).some((length) => length !== steps)
          ? 'sequences of different lengths'
          : undefined;
  if (!problem) return;
  throw new RetortError('GRAD_MISSING_RULE', `${node.op} "${node.name}": no gradient rule for ${problem}`);
}

const defaults: Readonly<Record<string, readonly string[]>> = {
  GRU: ['Sigmoid', 'Tanh'],
  LSTM: ['Sigmoid', 'Tanh', 'Tanh'],
  RNN: ['Tanh'],
};

/** The activations a node states, or undefined where it states none. */
export function activations(node: Node): readonly string[] | undefined {
  const stated = node.attributes.activations;
  return stated?.type === 'strings' ? stated.value.map((name) => new TextDecoder().decode(name)) : undefined;
}

/** Whether the activations are the default ones, said or unsaid (an RNN may also use Relu), in every direction. */
function usual(node: Node): boolean {
  const expected = defaults[node.op]!;
  const stated = activations(node) ?? expected;
  if (node.op === 'RNN' && stated.every((name) => name === 'Relu')) return true;
  return stated.every((name, i) => name === expected[i % expected.length]);
}

const flip = (b: GraphBuilder, value: string): string =>
  b.op('Slice', [value, b.ints([-1]), b.ints([-Number.MAX_SAFE_INTEGER]), b.ints([0]), b.ints([-1])]);

function view(c: RuleContext, y: string, k: number, reverse: boolean): Direction {
  const { b } = c;
  const [steps, batch] = b.dims(c.x(0)) as [number, number];
  const [, rows, hidden] = b.dims(c.x(2)) as [number, number, number];
  const m = arithmetic(b, b.dtype(c.x(0)));
  const pick = (name: string, axis = 0) => b.op('Gather', [name, b.constant(k, 'int64')], { axis });
  const zeros = (...dims: number[]) => b.op('Expand', [m.number(0), b.ints(dims)]);
  const order = (value: string) => (reverse ? flip(b, value) : value);
  const bias = c.hasX(3) ? pick(c.x(3)) : zeros(2 * rows);
  const [wb, rb] = b.ops('Split', [bias, b.ints([rows, rows])], { axis: 0 }, { outputs: 2 }) as [
    string,
    string,
  ];
  const initial = (i: 0 | 1) => (c.hasX(5 + i) ? pick(c.x(5 + i)) : zeros(batch, hidden));

  const h = order(pick(y, 1));
  const first = b.op('Unsqueeze', [initial(0), b.ints([0])]);
  const earlier = b.op('Slice', [h, b.ints([0]), b.ints([steps - 1]), b.ints([0])]);
  const flat = (value: string) => b.op('Reshape', [value, b.ints([steps * batch, b.dims(value)[2]!])]);
  const dh = perStep(b, order(pick(c.node.outputs[0] ? c.dy(0) : zerosLike(b, y), 1)));
  if (c.hasDy(1)) dh[steps - 1] = m.add(dh[steps - 1]!, pick(c.dy(1)));
  return {
    b,
    m,
    steps,
    hidden,
    x: order(c.x(0)),
    w: pick(c.x(1)),
    r: pick(c.x(2)),
    wb,
    rb,
    h,
    before: steps === 1 ? first : b.op('Concat', [first, earlier], { axis: 0 }),
    initial,
    dh,
    dc: c.node.op === 'LSTM' && c.hasDy(2) ? pick(c.dy(2)) : undefined,
    times: (a, matrix) => b.op('MatMul', [a, b.op('Transpose', [matrix], { perm: [1, 0] })]),
    correlate: (p, q) => b.op('MatMul', [b.op('Transpose', [flat(p)], { perm: [1, 0] }), flat(q)]),
  };
}

/** [T, N, K] as T values [N, K]. */
export function perStep(b: GraphBuilder, value: string): string[] {
  const [steps, ...rest] = b.dims(value) as [number, number, number];
  const one = (part: string) => b.op('Reshape', [part, b.ints(rest)]);
  if (steps === 1) return [one(value)];
  const sizes = b.ints(new Array<number>(steps).fill(1));
  return b.ops('Split', [value, sizes], { axis: 0 }, { outputs: steps }).map(one);
}

/** T values [N, K] as [T, N, K]. */
export const overSteps = (b: GraphBuilder, parts: readonly string[]): string =>
  b.op(
    'Concat',
    parts.map((part) => b.op('Unsqueeze', [part, b.ints([0])])),
    { axis: 0 },
  );

/** The last axis cut into equal parts of `hidden`. */
export const gates = (b: GraphBuilder, value: string, hidden: number): string[] => {
  const count = b.dims(value).at(-1)! / hidden;
  const sizes = b.ints(new Array<number>(count).fill(hidden));
  return b.ops('Split', [value, sizes], { axis: b.dims(value).length - 1 }, { outputs: count });
};

/** Forward, reverse, both ways; with and without bias and initial states; a single step. */
export function recurrentSamples(gateCount: number, states: number): RuleSample[] {
  const sample = (name: string, directions: number, steps: number, direction: string, full: boolean) => {
    const [batch, inputs, hidden] = [2, 3, 2];
    const state = { shape: [directions, batch, hidden] };
    return {
      name,
      inputs: [
        { shape: [steps, batch, inputs] },
        { shape: [directions, gateCount * hidden, inputs] },
        { shape: [directions, gateCount * hidden, hidden] },
        ...(full ? [{ shape: [directions, 2 * gateCount * hidden] }, 'omitted' as const] : []),
        ...(full ? new Array<typeof state>(states).fill(state) : []),
      ],
      attributes: { hidden_size: hidden, direction },
      outputs: 1 + states,
    };
  };
  return [
    sample('forward, bare', 1, 3, 'forward', false),
    sample('forward, bias and initial states', 1, 3, 'forward', true),
    sample('reverse', 1, 2, 'reverse', true),
    sample('both ways', 2, 3, 'bidirectional', true),
    sample('one step', 1, 1, 'forward', true),
  ];
}
