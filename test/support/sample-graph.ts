import type { GradientRule, RuleSample, SampleInput } from '../../src/core/autodiff/rule.ts';
import { GraphBuilder } from '../../src/core/onnx/builder.ts';
import { isFloat } from '../../src/core/onnx/dtype.ts';
import { sizeOf } from '../../src/core/onnx/tensor.ts';
import { Random } from '../../src/core/random.ts';

/** A graph with values for its inputs, and what may be differentiated in it. */
export interface Case {
  readonly b: GraphBuilder;
  /** Graph inputs to differentiate by. */
  readonly wrt: readonly string[];
  /** Float values computed by the graph. */
  readonly outputs: readonly string[];
  readonly values: ReadonlyMap<string, Float32Array>;
}

/** Perturbations stay well below this, so that values this far from a kink do not cross it. */
const MARGIN = 0.12;

/** One node as a rule's sample describes it: float inputs are graph inputs with seeded random values. */
export function sampleGraph(rule: GradientRule, sample: RuleSample): Case {
  const b = new GraphBuilder();
  const random = new Random(1, `${rule.op}/${sample.name}`);
  const values = new Map<string, Float32Array>();
  const wrt: string[] = [];
  const inputs = sample.inputs.map((input, i) => {
    if (input === 'omitted') return '';
    if ('constant' in input) return b.constant(input.constant, input.dtype ?? 'float32', input.shape);
    const name = b.input(`x${i}`, 'float32', input.shape);
    values.set(name, draw(input, random));
    if (rule.differentiable === 'all' || rule.differentiable.includes(i)) wrt.push(name);
    return name;
  });
  const made = b.ops(rule.op, inputs, sample.attributes ?? {}, { outputs: sample.outputs ?? 1 });
  return { b, wrt, outputs: made.filter((name) => isFloat(b.dtype(name))), values };
}

function draw(
  input: Extract<SampleInput, { shape: readonly number[]; away?: readonly number[] }>,
  random: Random,
) {
  const count = sizeOf(input.shape);
  const [low, high] = input.range ?? [-1.5, 1.5];
  if (input.distinct) {
    const order = random.shuffle(Array.from({ length: count }, (_, i) => i));
    return Float32Array.from(order, (place) => low + 2 * MARGIN * place);
  }
  return Float32Array.from({ length: count }, () => {
    for (;;) {
      const value = low + (high - low) * random.uniform();
      if (!input.away?.some((kink) => Math.abs(value - kink) < MARGIN)) return value;
    }
  });
}
