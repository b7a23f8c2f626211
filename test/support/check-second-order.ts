import assert from 'node:assert/strict';
import { appendGradients } from '../../src/core/autodiff/backward.ts';
import type { Target } from '../../src/core/autodiff/rule.ts';
import { GraphBuilder } from '../../src/core/onnx/builder.ts';
import { dtypes } from '../../src/core/onnx/dtype.ts';
import { numbers } from '../../src/core/onnx/tensor.ts';
import { lowerGradients } from '../../src/core/program/lower.ts';
import type { Program } from '../../src/core/program/program.ts';
import { Random } from '../../src/core/random.ts';
import { evaluate, openValues, type Values } from './graph-values.ts';

/** What is made of a gradient g: <g, v> with a fixed v, whose gradient is H v, or |g|^2, whose gradient is 2 H g. */
export type ScalarOfGradient = 'product' | 'square';

export interface SecondOrder {
  readonly program: Program;
  /** The batch inputs. */
  readonly feeds: Values;
  /** The scalar is differentiated by these batch inputs and by every parameter. */
  readonly inputs: readonly string[];
  readonly scalar: ScalarOfGradient;
  readonly target: Target;
}

/**
 * Step of the differences, relative to the size of what is moved. The first gradient is float32, with errors of about
 * 1e-6 of its size; divided by the step they are 5e-4. Truncation, of order STEP^4, is nothing beside that.
 */
const STEP = 2e-3;
/** Four times what rounding may do. */
const TOLERANCE = 2e-3;
const DIRECTIONS = 2;
const MOST_DRAWS = 100;

/**
 * Differentiates a scalar of a Program's gradient and compares with five-point central differences of that gradient,
 * in random directions. A direction that crosses a kink (a ReLU bends, a pool's winner changes) is drawn again: the
 * first gradient jumps there.
 */
export async function checkSecondOrder(of: SecondOrder): Promise<void> {
  const { program, target, scalar } = of;
  const random = new Random(5, 'second order');
  const values = startValues(program, of.feeds, random);
  const wrt = [...program.parameters.map(({ name }) => name), ...of.inputs];
  const { graph, gradients } = lowerGradients(program, target);
  const fixed = new Map(
    [...gradients].map(([name, gradient]) => [gradient, values.get(name)!.map(() => random.normal())]),
  );
  const twice = GraphBuilder.from(graph);
  const outputs = scalarOf(twice, scalar, fixed);
  const second = appendGradients(twice, { outputs, wrt, target });
  const made = await evaluate(twice, [...second.values()], values);

  const once = GraphBuilder.from(graph);
  const kinks = kinksOf(once);
  const first = await openValues(once, [...fixed.keys(), ...kinks]);
  const scalarAt = async (at: Values) => {
    const found = await first.run(at);
    const pairs = [...fixed].map(([gradient, v]) => [found.get(gradient)!, v] as const);
    const total = (term: (g: Float32Array, v: Float32Array) => number) =>
      pairs.reduce((sum, [g, v]) => sum + term(g, v), 0);
    const square = total((g) => dot(g, g));
    return {
      value: scalar === 'product' ? total(dot) : square,
      /** Of which rounding is a part: |g| |v| or |g|^2. */
      size: Math.sqrt(square * (scalar === 'product' ? total((_, v) => dot(v, v)) : square)),
      pattern: patternOf(kinks.map((kink) => found.get(kink)!)),
    };
  };
  /** The slope along a random direction; undefined where a kink lies in it. */
  const slope = async (name: string, direction: Float32Array): Promise<number | undefined> => {
    const points = [];
    for (const steps of [-2, -1, 0, 1, 2]) {
      const moved = values.get(name)!.map((value, i) => value + steps * STEP * direction[i]!);
      points.push(await scalarAt(new Map([...values, [name, moved]])));
    }
    if (new Set(points.map(({ pattern }) => pattern)).size > 1) return undefined;
    const [a, b, , c, d] = points.map(({ value }) => value) as [number, number, number, number, number];
    return (8 * (c - b) - (d - a)) / (12 * STEP);
  };
  try {
    const { size } = await scalarAt(values);
    for (const name of wrt) {
      const gradient = made.get(second.get(name)!)!;
      const length = Math.sqrt(dot(values.get(name)!, values.get(name)!) / gradient.length);
      let [compared, draws] = [0, 0];
      while (compared < DIRECTIONS) {
        assert.ok(draws++ < MOST_DRAWS, `every direction of ${name} crosses a kink`);
        const direction = gradient.map(() => (random.uniform() < 0.5 ? -length : length));
        const difference = await slope(name, direction);
        if (difference === undefined) continue;
        compared++;
        const byRules = dot(gradient, direction);
        const allowed = TOLERANCE * (length * Math.sqrt(dot(gradient, gradient)) + size);
        assert.ok(
          Math.abs(difference - byRules) <= allowed,
          `by ${name}: ${byRules} by the rules, ${difference} by differences (allowed ${allowed})`,
        );
      }
    }
  } finally {
    await first.close();
  }
}

/** Parameters off their starts, where biases are 0 and scales 1. */
function startValues(program: Program, feeds: Values, random: Random): Values {
  const stored = (name: string) => Float32Array.from(numbers(program.graph.initializers.get(name)!));
  return new Map([
    ...feeds,
    ...program.state.map(({ initial }) => [initial, stored(initial)] as const),
    ...program.parameters.map(
      ({ name }) => [name, stored(name).map((value) => value + 0.2 * random.normal())] as const,
    ),
  ]);
}

function scalarOf(b: GraphBuilder, scalar: ScalarOfGradient, fixed: Values): string {
  const terms = [...fixed].map(([gradient, v]) => {
    const other = scalar === 'product' ? b.constant([...v], 'float32', b.dims(gradient)) : gradient;
    return b.op('ReduceSum', [b.op('Mul', [gradient, other])], { keepdims: 0 });
  });
  return terms.reduce((sum, term) => b.op('Add', [sum, term]));
}

/** Values that say on which side of its kinks a graph is. */
const kinksOf = (b: GraphBuilder): string[] =>
  b.nodes.flatMap(({ op, outputs }) => {
    if (op === 'Relu') return [outputs[0]!];
    return op === 'MaxPool' && outputs[1] ? [b.op('Cast', [outputs[1]], { to: dtypes.float32.code })] : [];
  });

/** Above 0 every value of a ReLU is the same; winners are whole numbers. */
const patternOf = (kinks: readonly Float32Array[]): string =>
  kinks.map((values) => values.map((value) => (Number.isInteger(value) ? value : 0.5)).join()).join(';');

const dot = (a: Float32Array, b: Float32Array): number => a.reduce((sum, value, i) => sum + value * b[i]!, 0);
