import type { Model } from '../onnx/model.ts';
import { sizeOf } from '../onnx/tensor.ts';
import { normOf, sumOf } from '../program/gradient-program.ts';
import { gradientsOf, type ModelGradients } from '../program/gradients-of.ts';
import type { TrainingKernel } from '../program/kernel.ts';
import { signAt } from './counter-hash.ts';
import { type CaseGradient, cotangentOfOutput, type GradientCase, inputOf } from './gradient-case.ts';

/** Largest allowed error of a gradient's norm and projections, relative to its norm. */
const GRADIENT_TOLERANCE = 2e-3;
/**
 * The same in a training step, whose engine may round otherwise: where it takes the other side of a kink (an input of Relu
 * within rounding of zero) a gradient moves by a hundredth. What a step misses altogether is off by about one.
 */
const STEP_TOLERANCE = 5e-2;
/** Gradients smaller than this part of the largest one are measured against that part instead. */
const FLOOR = 1e-3;
const FORWARD_TOLERANCE = 1e-3;

export interface CaseVerdict {
  readonly passed: boolean;
  /** Largest relative error of a gradient alone, not in a step. */
  readonly worst: number;
  /** What is out of tolerance, in words. */
  readonly problems: readonly string[];
}

/**
 * Runs one case on a kernel and compares outputs, loss and every listed gradient, alone and in a training step, with the
 * reference.
 */
export async function checkCase(
  model: Model,
  reference: GradientCase,
  kernel: TrainingKernel,
): Promise<CaseVerdict> {
  const result = await gradientsOf(
    {
      model,
      parameters: reference.grads.map((gradient) => gradient.initializer),
      training: reference.mode === 'train',
    },
    Object.fromEntries(reference.inputs.map((input) => [input.name, inputOf(input)])),
    Object.fromEntries(reference.outputs.map((output) => [output.name, cotangentOfOutput(output)])),
    kernel,
  );
  const largest = Math.max(...reference.grads.map((gradient) => gradient.norm));
  const problems = forwardProblems(reference, result);
  let worst = 0;
  for (const gradient of reference.grads) {
    const { initializer } = gradient;
    const errorOf = (values: Float32Array) => gradientError(gradient, values, FLOOR * largest);
    const error = errorOf(result.gradients.get(initializer)!);
    const stepped = errorOf(result.stepped.get(initializer)!);
    // Written so that a NaN is out of tolerance.
    if (!(error <= GRADIENT_TOLERANCE)) {
      problems.push(`gradient of ${initializer} is off by ${error.toExponential(2)}`);
    } else if (!(stepped <= STEP_TOLERANCE)) {
      problems.push(`gradient of ${initializer} in a step is off by ${stepped.toExponential(2)}`);
    }
    worst = Number.isNaN(error) ? error : Math.max(worst, error);
  }
  return { passed: problems.length === 0, worst, problems };
}

function forwardProblems(reference: GradientCase, result: ModelGradients): string[] {
  const problems: string[] = [];
  const expect = (what: string, actual: number, expected: number, scale: number): void => {
    if (Math.abs(actual - expected) <= FORWARD_TOLERANCE * scale) return;
    problems.push(`${what} is ${actual}, not ${expected}`);
  };
  for (const { name, shape, sum, norm } of reference.outputs) {
    expect(`norm of output ${name}`, result.metrics[normOf(name)]!, norm, norm);
    // Errors of that relative size may all point one way: |sum e| <= sqrt(n) |e|.
    expect(`sum of output ${name}`, result.metrics[sumOf(name)]!, sum, norm * Math.sqrt(sizeOf(shape)));
  }
  const norms = reference.outputs.reduce((sum, output) => sum + output.norm, 0);
  expect('loss', result.loss, reference.loss, norms);
  return problems;
}

/** Largest error of norm and projections, relative to the reference norm (or the floor). */
function gradientError(reference: CaseGradient, gradient: Float32Array, floor: number): number {
  if (gradient.length !== sizeOf(reference.shape)) return Number.POSITIVE_INFINITY;
  const scale = Math.max(reference.norm, floor) || 1;
  const norm = Math.sqrt(gradient.reduce((sum, value) => sum + value * value, 0));
  const errors = reference.proj.map((expected, j) => {
    const seed = 16 * reference.seed + j;
    const projection = gradient.reduce((sum, value, i) => sum + value * signAt(seed, i + 1), 0);
    return Math.abs(projection - expected);
  });
  return Math.max(Math.abs(norm - reference.norm), ...errors) / scale;
}
