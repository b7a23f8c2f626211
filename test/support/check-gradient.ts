import assert from 'node:assert/strict';
import { appendGradients } from '../../src/core/autodiff/backward.ts';
import type { Target } from '../../src/core/autodiff/rule.ts';
import { sizeOf } from '../../src/core/onnx/tensor.ts';
import { Random } from '../../src/core/random.ts';
import { evaluate, openValues } from './graph-values.ts';
import type { Case } from './sample-graph.ts';

/** Step of the differences: truncation h^4 f'''''/30 and float32 rounding |y| 6e-8 / h then both stay below 1e-5. */
const STEP = 0.02;
const DIRECTIONS = 3;

/** Adds to a case the gradient of sum <output, cotangent>; the cotangents become graph inputs with seeded values. */
export function withGradient(of: Case, target: Target): Case {
  const { b } = of;
  const values = new Map(of.values);
  const random = new Random(2, 'cotangents', values.size);
  const cotangents = new Map(
    of.outputs.map((output) => {
      const name = b.input(b.fresh(`cotangent_${output}`), 'float32', b.dims(output));
      values.set(
        name,
        Float32Array.from({ length: sizeOf(b.dims(output)) }, () => random.normal()),
      );
      return [output, name];
    }),
  );
  const gradients = appendGradients(b, { outputs: cotangents, wrt: of.wrt, target });
  for (const name of of.wrt) {
    assert.deepEqual(b.dims(gradients.get(name)!), b.dims(name), `shape of the gradient of ${name}`);
  }
  return { b, wrt: of.wrt, outputs: [...new Set(gradients.values())], values };
}

/**
 * Compares the gradient graph of a case, run by onnxruntime in float32, with five-point central differences of
 * L = sum <output, weight> (summed in float64) along random directions of +-1 per differentiated input.
 */
export async function checkGradient(make: () => Case, target: Target, tolerance = 2e-3): Promise<void> {
  const plain = make();
  const full = make();
  const random = new Random(3, 'weights');
  const weights = new Map(
    full.outputs.map((output) => [
      output,
      Float32Array.from({ length: sizeOf(full.b.dims(output)) }, () => random.normal()),
    ]),
  );
  const cotangents = new Map(
    full.outputs.map((output) => [
      output,
      full.b.input(full.b.fresh(`seed_${output}`), 'float32', full.b.dims(output)),
    ]),
  );
  const gradients = appendGradients(full.b, { outputs: cotangents, wrt: full.wrt, target });
  for (const [name, gradient] of gradients) {
    assert.deepEqual(full.b.dims(gradient), full.b.dims(name), `shape of the gradient of ${name}`);
  }
  const seeds = [...cotangents].map(([output, seed]) => [seed, weights.get(output)!] as const);
  const made = await evaluate(full.b, [...gradients.values()], new Map([...full.values, ...seeds]));

  const forward = await openValues(plain.b, plain.outputs);
  try {
    for (const name of plain.wrt) {
      const gradient = made.get(gradients.get(name)!)!;
      const norm = Math.sqrt(gradient.reduce((sum, g) => sum + g * g, 0));
      for (let k = 0; k < DIRECTIONS; k++) {
        const direction = Float32Array.from(gradient, () => (random.uniform() < 0.5 ? -1 : 1));
        const loss = async (step: number): Promise<number> => {
          const moved = plain.values.get(name)!.map((value, i) => value + step * direction[i]!);
          const outputs = await forward.run(new Map([...plain.values, [name, moved]]));
          return [...outputs].reduce((sum, [output, value]) => sum + dot(value, weights.get(output)!), 0);
        };
        const near = (await loss(STEP)) - (await loss(-STEP));
        const far = (await loss(2 * STEP)) - (await loss(-2 * STEP));
        const difference = (8 * near - far) / (12 * STEP);
        const analytic = dot(gradient, direction);
        const allowed = tolerance * (norm + 0.1);
        assert.ok(
          Math.abs(difference - analytic) <= allowed,
          `gradient of ${name}: ${analytic} by the rule, ${difference} by differences (allowed ${allowed})`,
        );
      }
    }
  } finally {
    await forward.close();
  }
}

const dot = (a: Float32Array, b: Float32Array): number => a.reduce((sum, value, i) => sum + value * b[i]!, 0);
