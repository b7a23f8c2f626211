import { GraphBuilder } from '../../core/onnx/builder.ts';
import { type DType, dtypes, isFloat } from '../../core/onnx/dtype.ts';
import { inferShapes, typeOf } from '../../core/onnx/infer-shapes.ts';
import { joinModels } from '../../core/onnx/join.ts';
import { feedInputs, type Model, type Shape, type ValueInfo } from '../../core/onnx/model.ts';
import { foldBatchNorm } from '../../core/onnx/passes/fold-batch-norm.ts';
import { foldShapes } from '../../core/onnx/passes/fold-shapes.ts';
import { inferenceMode } from '../../core/onnx/passes/inference-mode.ts';
import { applyPass } from '../../core/onnx/passes/pass.ts';
import { prune } from '../../core/onnx/passes/prune.ts';
import { setBatch } from '../../core/onnx/passes/set-batch.ts';
import { toOpset18 } from '../../core/onnx/passes/to-opset-18.ts';
import { splitFrozen } from '../../core/onnx/split-frozen.ts';
import { GIVEN_PREFIX } from '../../core/students/own-names.ts';
import { RetortError } from '../../errors.ts';
import type { TeacherPlan } from '../teacher/teacher-plan.ts';
import { STUDENT_INPUT, STUDENT_LOGITS } from './student-names.ts';

export interface Shipped {
  readonly model: Model;
  /** The same graph up to the class scores `STUDENT_LOGITS` [N, classes], for measuring. */
  readonly tapped: Model;
}

/**
 * The trained student in its teacher's place: it takes the teacher's raw inputs and returns the same names, types, ranks
 * and post-operations. Training parts are gone, batch normalisation is folded, any number of rows goes.
 */
export function shipStudent(trained: Model, teacher: Model, plan: TeacherPlan): Shipped {
  const body = applyPass(foldBatchNorm, applyPass(inferenceMode, trained, {}), {});
  const free = freed(teacher, plan.input.name);
  const headed = headedBy(plan, free, body);
  const { suffix } = splitFrozen(free, plan.scores.name);
  const scores = typeOf(inferShapes(free), plan.scores.name);
  const tail = tailOf(
    plan,
    scores.dtype ?? 'float32',
    scores.shape ?? [],
    suffix ? SCORES : plan.scores.name,
  );
  const connected = { connect: { [TAIL_START]: STUDENT_LOGITS }, keep: [STUDENT_LOGITS] };
  const scored = joinModels(headed, tail, connected);
  const joined = suffix
    ? joinModels(scored, applyPass(toOpset18, suffix, {}), {
        connect: { [plan.scores.name]: SCORES },
        keep: [STUDENT_LOGITS],
      })
    : scored;
  const names = teacher.graph.outputs.map((output) => output.name);
  const model = withInterface(slim(applyPass(prune, joined, { outputs: names })), free);
  return { model, tapped: slim(applyPass(prune, joined, { outputs: [STUDENT_LOGITS], inputs: true })) };
}

/** Without nodes that change nothing: joints, reshapes to the same shape. */
const slim = (model: Model): Model => applyPass(foldShapes, model, { noops: true });

const HEAD_END = 'student_rows';
const TAIL_START = 'student_tail';
const SCORES = 'student_scores';

/** The teacher with an open batch, where it can have one. */
function freed(teacher: Model, input: string): Model {
  try {
    return applyPass(setBatch, teacher, { batch: 'N', inputs: [input] });
  } catch (error) {
    if (error instanceof RetortError) return teacher;
    throw error;
  }
}

/**
 * The student behind the teacher's input, which it takes in float32. Whole numbers that it casts come as they are, never
 * rounded. Where constants stood for further inputs it reads those of the teacher.
 */
function headedBy({ input, constants }: TeacherPlan, teacher: Model, body: Model): Model {
  const [own] = body.graph.inputs as [ValueInfo];
  const readers = body.graph.nodes.filter((node) => node.inputs.includes(own.name));
  const isRaw = !isFloat(input.dtype) && readers.every(({ op, domain }) => op === 'Cast' && domain === '');
  const dtype = isRaw ? input.dtype : 'float32';
  const b = new GraphBuilder();
  const raw = b.input(input.name, input.dtype, own.shape!);
  const further = feedInputs(teacher.graph).filter(
    ({ name }) =>
      constants.some((each) => each.name === name) && body.graph.initializers.has(GIVEN_PREFIX + name),
  );
  for (const { name, dtype, shape } of further) b.input(name, dtype, shape);
  b.output(
    input.dtype === dtype
      ? b.op('Identity', [raw], {}, { outputs: [HEAD_END] })
      : b.op('Cast', [raw], { to: dtypes[dtype].code }, { outputs: [HEAD_END] }),
  );
  const connect = Object.fromEntries(further.map(({ name }) => [GIVEN_PREFIX + name, name]));
  const graph = {
    ...body.graph,
    inputs: [{ ...own, dtype }, ...further.map((each) => ({ ...each, name: GIVEN_PREFIX + each.name }))],
    initializers: new Map([...body.graph.initializers].filter(([name]) => !Object.hasOwn(connect, name))),
  };
  return joinModels(
    b.model('student'),
    { ...body, graph },
    { connect: { ...connect, [STUDENT_INPUT]: HEAD_END } },
  );
}

/** Logits [N, C] as the teacher's class scores are: probabilities, rank, element type. */
function tailOf({ scores }: TeacherPlan, dtype: DType, shape: Shape, output: string): Model {
  const b = new GraphBuilder();
  const logits = b.input(TAIL_START, 'float32', ['N', scores.classes]);
  const values = scores.kind === 'probabilities' ? b.op('Softmax', [logits], { axis: 1 }) : logits;
  const inner = shape.slice(1).map(Number);
  const ranked = inner.length > 1 ? b.op('Reshape', [values, b.ints([-1, ...inner])]) : values;
  const last = dtype === 'float32' ? 'Identity' : 'Cast';
  b.output(
    b.op(last, [ranked], dtype === 'float32' ? {} : { to: dtypes[dtype].code }, { outputs: [output] }),
  );
  return b.model('student');
}

/** All inputs of the teacher, in its order, also those nothing reads any more; outputs with the rows left open. */
function withInterface(model: Model, teacher: Model): Model {
  const known = new Map(model.graph.inputs.map((input) => [input.name, input]));
  const inputs = feedInputs(teacher.graph).map((input) => known.get(input.name) ?? input);
  const { types } = inferShapes({ ...model, graph: { ...model.graph, inputs } }, { shapes: {} });
  const outputs = model.graph.outputs.map((output) => ({
    ...output,
    shape: types.get(output.name)?.shape ?? output.shape,
  }));
  return { ...model, graph: { ...model.graph, inputs, outputs } };
}
