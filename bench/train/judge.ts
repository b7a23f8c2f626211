import { COMPARED } from './contender.ts';
import type { WorkloadFigures } from './figures.ts';

/** Smallest ratio to PyTorch's best variant that is asked of a kernel alone, and of the faster kernel. */
const ALONE = { onnxruntime: { convolutional: 0.3, other: 1 } } as const;
const AUTO = { each: 0.7, mean: 1 } as const;

/**
 * How far the losses of the compared steps may lie apart, relative to the first. That one differs by rounding alone; steps
 * of Adam on one batch amplify it, in the CNN so much that PyTorch's own variants are 0.6 % apart after fifty. A wrong
 * gradient or update is off by far more, and soon.
 */
const APART = [1e-4, 1e-3, 1e-2] as const;

/** What is wrong with the figures of one workload, in words. */
export function judgeWorkload(figures: WorkloadFigures): string[] {
  const { workload, kernels, pytorch, isConvolutional } = figures;
  const problems: string[] = [];
  const reference = figures.best === undefined ? undefined : pytorch[figures.best];
  for (const [name, { losses, parameters, ratio }] of Object.entries(kernels)) {
    const where = `${workload}, ${name}`;
    if (!reference) continue;
    if (parameters !== reference.parameters) {
      problems.push(`${where}: ${parameters} parameters, PyTorch has ${reference.parameters}`);
    }
    for (const [i, step] of COMPARED.entries()) {
      const [actual, expected, first] = [losses[i]!, reference.losses[i]!, reference.losses[0]!];
      // Written so that a NaN is apart from everything.
      if (Math.abs(actual - expected) <= APART[i]! * first) continue;
      problems.push(`${where}: the loss of step ${step} is ${actual}, PyTorch's ${expected}`);
    }
    const asked = ALONE[name as keyof typeof ALONE]?.[isConvolutional ? 'convolutional' : 'other'];
    if (asked !== undefined && ratio !== undefined && ratio < asked) {
      problems.push(`${where}: ${ratio.toFixed(2)} of PyTorch, asked: ${asked}`);
    }
  }
  const auto = autoRatio(figures);
  if (auto !== undefined && auto < AUTO.each) {
    problems.push(`${workload}, faster kernel: ${auto.toFixed(2)} of PyTorch, asked: ${AUTO.each}`);
  }
  return problems;
}

/** Geometric mean of the faster kernel's ratios, and what is wrong with it; for a run over all workloads. */
export function judgeMean(all: readonly WorkloadFigures[]): {
  readonly mean?: number;
  readonly problems: string[];
} {
  const ratios = all.map(autoRatio).filter((ratio) => ratio !== undefined);
  if (ratios.length === 0 || ratios.length < all.length) return { problems: [] };
  const mean = Math.exp(ratios.reduce((sum, ratio) => sum + Math.log(ratio), 0) / ratios.length);
  const isShort = mean < AUTO.mean;
  return {
    mean,
    problems: isShort
      ? [`faster kernel, geometric mean: ${mean.toFixed(2)} of PyTorch, asked: ${AUTO.mean}`]
      : [],
  };
}

/** Ratio of the kernel that `auto` is to find. */
function autoRatio({ kernels }: WorkloadFigures): number | undefined {
  const ratios = Object.values(kernels)
    .map(({ ratio }) => ratio)
    .filter((ratio) => ratio !== undefined);
  return ratios.length === 0 ? undefined : Math.max(...ratios);
}
