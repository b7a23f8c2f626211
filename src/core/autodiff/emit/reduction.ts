import { intAttribute } from '../../onnx/attributes.ts';
import { numbers } from '../../onnx/tensor.ts';
import type { GradientRule, RuleContext, RuleSample } from '../rule.ts';
import { type Arithmetic, arithmetic } from './arithmetic.ts';
import { normalAxis } from './axis.ts';

/** What the gradient of y = reduction of x over axes sees. */
export interface Reduction {
  readonly m: Arithmetic;
  readonly x: string;
  /** y and dy with every reduced axis kept as 1: they broadcast to x. */
  readonly y: string;
  readonly dy: string;
  readonly dims: readonly number[];
  /** Reduced axes, ascending; empty when nothing is reduced. */
  readonly axes: readonly number[];
  /** Elements that go into one result. */
  readonly count: number;
  /** Stretches a value of the shape of dy to that of x. */
  spread(value: string): string;
  /** The sum over the reduced axes, kept as 1. */
  total(value: string): string;
}

/** The rule of a reduction (opset 18: axes are input 1); `gradient` returns dx in the shape of x. */
export function reduction(
  op: string,
  gradient: (r: Reduction, c: RuleContext) => string,
  samples: readonly RuleSample[],
): GradientRule {
  return {
    op,
    differentiable: [0],
    samples,
    backward: (c) => [gradient(view(c), c), ...c.node.inputs.slice(1).map(() => undefined)],
  };
}

function view(c: RuleContext): Reduction {
  const { b } = c;
  const x = c.x(0);
  const dims = b.dims(x);
  const axes = reducedAxes(c, dims.length);
  const kept = dims.map((dim, i) => (axes.includes(i) ? 1 : dim));
  const keep = (value: string): string =>
    b.dims(value).length === kept.length ? value : b.op('Reshape', [value, b.ints(kept)]);
  let y: string | undefined;
  return {
    m: arithmetic(b, b.dtype(x)),
    x,
    get y() {
      y ??= keep(c.y(0));
      return y;
    },
    dy: keep(c.dy(0)),
    dims,
    axes,
    count: axes.reduce((product, axis) => product * dims[axis]!, 1),
    spread: (value) => (kept.join() === dims.join() ? value : b.op('Expand', [value, b.ints(dims)])),
    total: (value) => (axes.length === 0 ? value : b.op('ReduceSum', [value, b.ints(axes)], { keepdims: 1 })),
  };
}

function reducedAxes(c: RuleContext, rank: number): number[] {
  const given = c.hasX(1) ? numbers(c.constant(1)) : [];
  if (given.length > 0) return given.map((axis) => normalAxis(axis, rank)).sort((p, q) => p - q);
  if (intAttribute(c.node, 'noop_with_empty_axes', 0)) return [];
  return Array.from({ length: rank }, (_, i) => i);
}

interface ReductionSampling {
  readonly range?: readonly [number, number];
  readonly away?: readonly number[];
  readonly distinct?: boolean;
}

/** The usual evidence for a reduction: one axis, several, negative, all, none, with and without kept dimensions. */
export function reductionSamples(options: ReductionSampling = {}): RuleSample[] {
  const { range = [-2, 2], away, distinct = false } = options;
  const x = (shape: readonly number[]) => ({ shape, range, distinct, ...(away ? { away } : {}) });
  const axes = (...values: number[]) => ({ constant: values, dtype: 'int64' as const });
  const none = { constant: [], shape: [0], dtype: 'int64' as const };
  return [
    { name: 'last axis', inputs: [x([2, 3, 4]), axes(-1)] },
    { name: 'first axis, dropped', inputs: [x([3, 2]), axes(0)], attributes: { keepdims: 0 } },
    {
      name: 'outer and inner axis, dropped',
      inputs: [x([2, 3, 2]), axes(-1, 0)],
      attributes: { keepdims: 0 },
    },
    { name: 'image axes', inputs: [x([2, 2, 2, 3]), axes(2, 3)], attributes: { keepdims: 1 } },
    { name: 'an axis of length one', inputs: [x([2, 1, 3]), axes(1)], attributes: { keepdims: 0 } },
    { name: 'all axes', inputs: [x([2, 3])], attributes: { keepdims: 0 } },
    { name: 'all axes by an empty list', inputs: [x([2, 3]), none] },
    { name: 'scalar', inputs: [x([])] },
    { name: 'no axes at all', inputs: [x([2, 3]), none], attributes: { noop_with_empty_axes: 1 } },
  ];
}
