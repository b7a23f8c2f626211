import { float, floatAttribute, intAttribute } from '../../onnx/attributes.ts';
import { sizeOf } from '../../onnx/tensor.ts';
import { type Arithmetic, arithmetic } from '../emit/arithmetic.ts';
import type { GradientRule, RuleContext, RuleSample } from '../rule.ts';

/**
 * y = scale (x - mean) inv + bias per channel, inv = 1 / sqrt(var + epsilon). Training mode takes mean and (biased)
 * variance from the batch and returns running <- momentum running + (1 - momentum) batch as outputs 1 and 2.
 * https://onnx.ai/onnx/operators/onnx__BatchNormalization.html
 */
export const batchNormalization: GradientRule = {
  op: 'BatchNormalization',
  differentiable: 'all',
  samples: samples(),
  backward: (c) => (intAttribute(c.node, 'training_mode', 0) === 1 ? training(c) : evaluation(c)),
};

/** Sizes and small helpers both modes use. C channels; `perChannel` broadcasts a [C] over x. */
function frame(c: RuleContext) {
  const { b } = c;
  const dims = b.dims(c.x(0));
  const channels = dims[1]!;
  const m = arithmetic(b, b.dtype(c.x(0)));
  const axes = dims.map((_, i) => i).filter((i) => i !== 1);
  const zeros = b.constant(new Array<number>(channels).fill(0), b.dtype(c.x(0)));
  const ones = b.constant(new Array<number>(channels).fill(1), b.dtype(c.x(0)));
  return {
    b,
    m,
    zeros,
    ones,
    count: sizeOf(dims) / channels,
    epsilon: floatAttribute(c.node, 'epsilon', 1e-5),
    sum: (value: string) => b.op('ReduceSum', [value, b.ints(axes)], { keepdims: 0 }),
    mean: (value: string) => b.op('ReduceMean', [value, b.ints(axes)], { keepdims: 0 }),
    perChannel: (value: string) =>
      b.op('Reshape', [value, b.ints([channels, ...dims.slice(2).map(() => 1)])]),
    /** value * a[C] + d[C] in one pass: BatchNormalization in evaluation mode with mean 0 and variance 1. */
    affine: (value: string, a: string, d = zeros) =>
      b.op('BatchNormalization', [value, a, d, zeros, ones], { epsilon: float(0) }),
  };
}
type Frame = ReturnType<typeof frame>;

const inverse = (m: Arithmetic, variance: string, epsilon: number): string =>
  m.reciprocal(m.sqrt(m.add(variance, epsilon)));

/**
 * With z = (x - mean) inv and n elements per channel: dscale = sum dy z, dbias = sum dy and
 * dx = scale inv (dy - dbias / n - z dscale / n), that is a dy + e z + d with [C] coefficients. Taking z, not x, as the
 * second term leaves nothing to cancel. The running outputs add dmean / n and 2 dvar (x - mean) / n to dx, in one pass
 * where both are read.
 */
function training(c: RuleContext): (string | undefined)[] {
  const f = frame(c);
  const { b, m, count } = f;
  const momentum = floatAttribute(c.node, 'momentum', 0.9);
  const { z, inv } = c.target === 'ort-cpu' ? fusedStatistics(c, f) : plainStatistics(c, f);
  const parts: string[] = [];
  let [dScale, dBias]: (string | undefined)[] = [];
  if (c.hasDy(0)) {
    const dy = c.dy(0);
    dBias = f.sum(dy);
    dScale = f.sum(m.mul(dy, z));
    if (c.wants(0)) {
      const a = m.mul(c.x(1), inv);
      const share = m.mul(a, -1 / count);
      parts.push(f.affine(dy, a, m.mul(share, dBias)), f.affine(z, m.mul(share, dScale)));
    }
  }
  const kept = (1 - momentum) / count;
  const dMean = c.hasDy(1) ? m.mul(c.dy(1), kept) : undefined;
  if (c.wants(0) && c.hasDy(2)) parts.push(f.affine(z, m.div(m.mul(c.dy(2), 2 * kept), inv), dMean));
  else if (c.wants(0) && dMean) parts.push(b.op('Expand', [f.perChannel(dMean), b.ints(b.dims(c.x(0)))]));
  return [
    parts.length > 0 ? parts.reduce((left, right) => m.add(left, right)) : undefined,
    c.wants(1) ? dScale : undefined,
    c.wants(2) ? dBias : undefined,
    c.wants(3) && c.hasDy(1) ? m.mul(c.dy(1), momentum) : undefined,
    c.wants(4) && c.hasDy(2) ? m.mul(c.dy(2), momentum) : undefined,
  ];
}

/**
 * z and inv from the operator itself: with momentum 0 its running outputs are the statistics of the batch, the node's
 * own where it has them (lowered Programs do). onnxruntime writes these outputs over inputs 3 and 4, so each needs
 * zeros of its own that no optimizer can share or fold.
 */
function fusedStatistics(c: RuleContext, f: Frame) {
  const { b, m, ones, zeros, epsilon } = f;
  const [, mean, variance] = c.node.outputs;
  if (mean && variance && floatAttribute(c.node, 'momentum', 0.9) === 0) {
    const z = b.op('BatchNormalization', [c.x(0), ones, zeros, mean, variance], { epsilon: float(epsilon) });
    return { z, inv: inverse(m, variance, epsilon) };
  }
  const attributes = { training_mode: 1, momentum: float(0), epsilon: float(epsilon) };
  const inputs = [c.x(0), ones, zeros, m.sub(c.x(1), c.x(1)), m.sub(c.x(2), c.x(2))];
  const [z, , batch] = b.ops('BatchNormalization', inputs, attributes, { outputs: 3 });
  return { z: z!, inv: inverse(m, batch!, epsilon) };
}

/** The same from reductions, for engines without training mode (CUDA). */
function plainStatistics(c: RuleContext, f: Frame) {
  const centred = f.m.sub(c.x(0), f.perChannel(f.mean(c.x(0))));
  const inv = inverse(f.m, f.mean(f.m.mul(centred, centred)), f.epsilon);
  return { z: f.affine(centred, inv), inv };
}

/** Mean and variance are inputs: y is affine in x with a = scale inv, and dvar = -1/2 scale inv^3 sum dy (x - mean). */
function evaluation(c: RuleContext): (string | undefined)[] {
  const f = frame(c);
  const { m } = f;
  const dy = c.dy(0);
  const inv = inverse(m, c.x(4), f.epsilon);
  const a = m.mul(c.x(1), inv);
  const dBias = f.sum(dy);
  const needsSum = c.wants(1) || c.wants(4);
  const dScale = needsSum ? f.sum(m.mul(dy, f.affine(c.x(0), inv, m.neg(m.mul(c.x(3), inv))))) : undefined;
  return [
    c.wants(0) ? f.affine(dy, a) : undefined,
    dScale,
    dBias,
    c.wants(3) ? m.neg(m.mul(a, dBias)) : undefined,
    c.wants(4) ? m.mul(m.mul(m.mul(a, inv), dScale!), -0.5) : undefined,
  ];
}

function samples(): RuleSample[] {
  const sample = (
    name: string,
    shape: readonly number[],
    attributes: NonNullable<RuleSample['attributes']>,
    outputs = 1,
  ): RuleSample => {
    const channel = { shape: [shape[1]!] };
    const variance = { shape: [shape[1]!], range: [0.5, 2] as const };
    return { name, inputs: [{ shape }, channel, channel, channel, variance], attributes, outputs };
  };
  const train = { training_mode: 1 };
  return [
    sample('evaluation', [2, 3, 2, 2], {}),
    sample('evaluation, large epsilon, 2-D input', [4, 3], { epsilon: float(0.1) }),
    sample('training', [3, 2, 2, 3], train, 3),
    sample('training, 2-D input', [5, 3], { ...train, momentum: float(0.7) }, 3),
    sample('training, 1-D images', [3, 2, 4], { ...train, epsilon: float(0.1) }, 3),
    sample('training, volumes', [2, 2, 2, 2, 2], train, 3),
  ];
}
