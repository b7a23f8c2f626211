import { GraphBuilder } from '../../core/onnx/builder.ts';
import { joinModels } from '../../core/onnx/join.ts';
import type { Model } from '../../core/onnx/model.ts';
import { modelStats } from '../../core/onnx/stats.ts';
import { entryOf } from '../../core/options.ts';
import { students } from '../../core/students/index.ts';
import type { StudentArchitecture, StudentPort } from '../../core/students/student.ts';
import type { InputPlan } from '../../data/preprocess.ts';
import { RetortError } from '../../errors.ts';
import type { StudentChoice, StudentLimits } from '../../spec/resolved-spec.ts';
import type { InputRange } from '../teacher/input-range.ts';
import { adoptStudent } from './adopt-student.ts';
import type { TeacherFeeding } from './further-inputs.ts';
import { STUDENT_INPUT, STUDENT_LOGITS } from './student-names.ts';

/** What a node costs in a file, besides its tensors; on the large side. */
const NODE_BYTES = 250;

export interface StudentRequest {
  readonly choice: StudentChoice;
  /** Rows as the teacher takes them. */
  readonly input: Pick<InputPlan, 'dims' | 'layout' | 'dtype'>;
  /** Of its whole numbers, where it takes such. */
  readonly range: InputRange | null;
  /** How the teacher is fed. */
  readonly feeding: TeacherFeeding;
  readonly classes: number;
  readonly statistics: { readonly mean: number; readonly deviation: number };
  readonly seed: number;
  /** Uploaded models by the name the spec uses. */
  readonly models: ReadonlyMap<string, Model>;
}

/** The trainable student over the teacher's raw input: normalise, move channels first, then the architecture's body. */
export function buildStudent(request: StudentRequest): Model {
  const { input, range, feeding, classes, statistics } = request;
  if (request.choice.kind === 'model') {
    return adoptStudent(uploadedOf(request), { ...input, range, feeding }, classes);
  }
  const { dims, layout } = input;
  const b = new GraphBuilder();
  const raw = b.input(STUDENT_INPUT, 'float32', ['N', ...dims]);
  const channelsFirst =
    dims.length === 3 && layout === 'NHWC' ? b.op('Transpose', [raw], { perm: [0, 3, 1, 2] }) : raw;
  const normal = normalised(b, channelsFirst, statistics);
  b.output(normal);
  const [, ...inputShape] = b.type(normal).shape as number[];
  const port: StudentPort = { input: BODY_INPUT, inputShape, output: STUDENT_LOGITS, classes };
  const body = bodyOf(request.choice, port, request.seed);
  return joinModels(b.model(body.graph.name), body, { connect: { [BODY_INPUT]: normal } });
}

const BODY_INPUT = 'student_body';

function uploadedOf({ choice, models }: StudentRequest): Model {
  const file = choice.kind === 'model' ? choice.file : '';
  const model = models.get(file);
  if (model) return model;
  throw new RetortError('SPEC_INVALID', `/student/model: no file "${file}" came with the job`, {
    hint: `Send it along (--with ${file}).`,
  });
}

/** Networks start well on numbers around 0 of size 1; one scale for all channels keeps their ratios. */
function normalised(
  b: GraphBuilder,
  x: string,
  { mean, deviation }: { readonly mean: number; readonly deviation: number },
): string {
  const isNormal = Math.abs(mean) < 0.5 && deviation > 0.5 && deviation < 2;
  if (isNormal || deviation === 0) return x;
  const centred = b.op('Sub', [x, b.constant(Math.fround(mean))]);
  return b.op('Mul', [centred, b.constant(Math.fround(1 / deviation))]);
}

function bodyOf(choice: Exclude<StudentChoice, { kind: 'model' }>, port: StudentPort, seed: number): Model {
  if (choice.kind === 'architecture') {
    const architecture = entryOf<StudentArchitecture>(students, choice.name, 'student architecture');
    const refusal = architecture.refuses(port);
    if (refusal) throw new RetortError('STUDENT_UNFIT', `the student "${choice.name}" ${refusal}`);
    return architecture.build(port, choice.options, seed);
  }
  return largestWithin(choice.limits, port, seed);
}

/** Of all ladders, the model that does most work within the limits: parameters that are used more often learn more. */
function largestWithin(limits: StudentLimits, port: StudentPort, seed: number): Model {
  let best: { readonly model: Model; readonly macs: number } | undefined;
  for (const architecture of Object.values(students as Readonly<Record<string, StudentArchitecture>>)) {
    if (architecture.refuses(port)) continue;
    for (const options of architecture.ladder(port)) {
      const model = architecture.build(port, options, seed);
      const { parameters, macs, tensorBytes } = modelStats(model);
      const fits =
        parameters <= (limits.maxParams ?? Number.POSITIVE_INFINITY) &&
        macs <= (limits.maxMacs ?? Number.POSITIVE_INFINITY) &&
        tensorBytes + NODE_BYTES * model.graph.nodes.length <= (limits.maxBytes ?? Number.POSITIVE_INFINITY);
      if (fits && (!best || macs > best.macs)) best = { model, macs };
    }
  }
  if (!best) {
    throw new RetortError(
      'STUDENT_UNFIT',
      'no student of any architecture keeps the limits of student.auto',
      {
        hint: 'Raise the limits, or name an architecture with its options.',
        facts: { ...limits },
      },
    );
  }
  return best.model;
}
