import { RetortError } from '../../errors.ts';
import type { KernelName } from '../../spec/resolved-spec.ts';
import { stepPace } from '../cost/step-pace.ts';
import type { StageContext } from '../stage.ts';
import type { TrainingPlan } from '../training/plan-training.ts';
import { consideredKernels } from './considered-kernels.ts';

/** Per kernel, besides opening it and its first step. */
const BUDGET_MS = 1000;

export interface KernelChoice {
  readonly kernel: KernelName;
  /** In words, for the report. */
  readonly reason: string;
}

/**
 * The kernel that makes the steps of a run fastest. Each that is worth a try makes some steps of what `plan` gives where
 * the spec names that kernel; one that cannot train it is passed over. Where only one is worth a try, nothing is planned or measured.
 */
export async function chooseKernel(
  plan: (context: StageContext) => Promise<TrainingPlan>,
  context: StageContext,
): Promise<KernelChoice> {
  const { kernels, spec } = context;
  const { worth, declined } = await consideredKernels(spec.train, kernels);
  const passed = Object.entries(declined).map(([name, why]) => `${name}: ${why}`);
  if (worth.length === 1) return { kernel: worth[0]!, reason: reasonOf([], passed) };

  const paces: { readonly kernel: KernelName; readonly step: number }[] = [];
  let failure: RetortError | undefined;
  for (const kernel of worth) {
    const train = { ...spec.train, kernel };
    try {
      const planned = await plan({ ...context, spec: { ...spec, train } });
      const { step } = await stepPace(planned, context, BUDGET_MS);
      if (step > 0) paces.push({ kernel, step });
      else passed.push(`${kernel}: not measured, its loss diverged on targets drawn at random`);
    } catch (error) {
      if (!(error instanceof RetortError) || error.code === 'CANCELLED') throw error;
      failure ??= error;
      passed.push(`${kernel}: ${error.message}`);
    }
  }
  const [fastest] = paces.sort((a, b) => a.step - b.step);
  if (fastest) return { kernel: fastest.kernel, reason: reasonOf(paces, passed) };
  if (!failure) return { kernel: worth[0]!, reason: reasonOf([], passed) };
  throw failure;
}

/** `tfjs 4.1 ms per step; onnxruntime 9.8 ms per step`, then the kernels that were passed over, and why. */
function reasonOf(
  paces: readonly { readonly kernel: string; readonly step: number }[],
  passed: readonly string[],
): string {
  const measured = paces.map(({ kernel, step }) => `${kernel} ${step.toPrecision(3)} ms per step`);
  return [...measured, ...passed].join('; ') || 'the only kernel here';
}
