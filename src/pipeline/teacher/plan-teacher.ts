import { indexedTable } from '../../core/onnx/indexed-table.ts';
import { inferShapes } from '../../core/onnx/infer-shapes.ts';
import { feedInputs, type Model, type Shape } from '../../core/onnx/model.ts';
import { applyPass } from '../../core/onnx/passes/pass.ts';
import { prune } from '../../core/onnx/passes/prune.ts';
import { setBatch } from '../../core/onnx/passes/set-batch.ts';
import { splitFrozen } from '../../core/onnx/split-frozen.ts';
import { type LogitTap, tapLogits } from '../../core/onnx/tap-logits.ts';
import { RetortError } from '../../errors.ts';
import type { ResolvedSpec } from '../../spec/resolved-spec.ts';
import { assignInputs } from './assign-inputs.ts';
import type { TeacherPlan } from './teacher-plan.ts';

export interface PlannedTeacher {
  readonly plan: Omit<TeacherPlan, 'model'>;
  /** What is run for class scores: nothing behind them. */
  readonly tapped: Model;
  /** Which output they were found behind, and what stands between. */
  readonly tap: LogitTap;
  readonly warnings: readonly string[];
}

/**
 * How this teacher is to be run for its class scores; refusals say what to export instead. A student takes the place of
 * the job's own teacher alone: what a further one returns besides is of no concern.
 */
export function planTeacher(
  model: Model,
  spec: Pick<ResolvedSpec, 'inputs'>,
  role: 'own' | 'further' = 'own',
): PlannedTeacher {
  const tap = tapLogits(model);
  if (!tap) throw noScores('no tensor in front of its outputs holds class scores');
  if (role === 'own') refuseLostOutputs(model, tap);
  const cut = applyPass(prune, model, { outputs: [tap.tensor], inputs: true });
  const { data, constants } = assignInputs(feedInputs(cut.graph), feedInputs(model.graph), spec);
  const warnings: string[] = [];
  const tapped = freeBatch(cut, data.name, warnings);
  const { types } = inferShapes(tapped);
  const classes = classesOf(types.get(tap.tensor)?.shape, tap);
  const table = indexedTable(tapped.graph, types, data.name);
  if (tap.post === 'sigmoid') {
    warnings.push(
      `"${tap.output}" ends in a sigmoid; its scores are treated as those of one class out of ${classes}`,
    );
  }
  const first = tapped.graph.inputs.find((input) => input.name === data.name)!.shape![0];
  return {
    plan: {
      batch: typeof first === 'number' ? first : null,
      input: {
        name: data.name,
        dtype: data.dtype!,
        shape: data.shape!.slice(1).map((dim) => (typeof dim === 'number' && dim > 0 ? dim : null)),
      },
      ...(table ? { table } : {}),
      constants,
      scores: { name: tap.tensor, classes, kind: tap.scores },
    },
    tapped,
    tap,
    warnings,
  };
}

const noScores = (why: string): RetortError =>
  new RetortError('TEACHER_NO_SCORES', `the teacher gives no soft targets: ${why}`, {
    hint: 'Export it with the class scores [N, classes] as an output: the tensor in front of the final Softmax or ArgMax.',
  });

/** Outputs a student could not return: it has class scores and what follows from them, as tensors. */
function refuseLostOutputs(model: Model, tap: LogitTap): void {
  const kept = splitFrozen(model, tap.tensor);
  const problems = [
    ...model.graph.outputs
      .filter((output) => !output.dtype)
      .map((output) => `output "${output.name}" is no tensor (a map or a sequence)`),
    ...kept.independent.map((name) => `output "${name}" is not made from the class scores "${tap.tensor}"`),
  ];
  if (problems.length === 0) return;
  throw new RetortError(
    'ONNX_UNSUPPORTED',
    `a student cannot return everything this teacher does: ${problems[0]}`,
    {
      problems,
      hint: 'Export the teacher with its class scores, or what follows from them, as the only outputs.',
    },
  );
}

/** The model with any number of rows per run; as it is, where its rows cannot be kept apart. */
function freeBatch(model: Model, input: string, warnings: string[]): Model {
  const first = model.graph.inputs.find((each) => each.name === input)!.shape![0];
  if (typeof first !== 'number') return model;
  try {
    return applyPass(setBatch, model, { batch: 'N', inputs: [input] });
  } catch (error) {
    if (!(error instanceof RetortError)) throw error;
    warnings.push(`the teacher runs ${first} row${first === 1 ? '' : 's'} at a time: ${error.message}`);
    return model;
  }
}

/** Classes of a tensor with one score per class and row: [N, C], or [N, C, 1, 1] in any order. */
function classesOf(shape: Shape | undefined, { tensor, output }: LogitTap): number {
  const shown = shape ? `[${shape.map((dim) => dim || '?').join(', ')}]` : 'of unknown shape';
  const inner = shape?.slice(1) ?? [];
  if (!inner.every((dim): dim is number => typeof dim === 'number')) {
    throw noScores(
      `"${tensor}" behind output "${output}" is ${shown}, so the number of classes is not known`,
    );
  }
  const wide = inner.filter((dim) => dim !== 1);
  if (wide.length !== 1) {
    throw noScores(`"${tensor}" behind output "${output}" is ${shown}, not one score per class and row`);
  }
  return wide[0]!;
}
