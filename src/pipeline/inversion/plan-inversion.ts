import { buildInversion, INVERSION_INPUTS } from '../../core/inversion/build-inversion.ts';
import { BYTES } from '../../core/inversion/inversion.ts';
import { decodeModel } from '../../core/onnx/decode.ts';
import { tensor } from '../../core/onnx/tensor.ts';
import { Random } from '../../core/random.ts';
import type { InputPlan } from '../../data/preprocess.ts';
import { RetortError } from '../../errors.ts';
import type { StageContext } from '../stage.ts';
import { constantTensor } from '../teacher/constant-tensor.ts';
import type { TeacherPlan } from '../teacher/teacher-plan.ts';
import { namedKernel } from '../training/named-kernel.ts';
import { shownBatches } from '../training/shown-batches.ts';
import type { TrainingRun } from '../training/training-run.ts';

/** One batch of pictures as a run that is trained like a phase of a student. */
export async function planInversion(
  index: number,
  plan: TeacherPlan,
  input: InputPlan,
  { spec, blobs, kernels }: Pick<StageContext, 'spec' | 'blobs' | 'kernels'>,
): Promise<TrainingRun> {
  const { batch, steps, learningRate, weights, shift, flip } = spec.inversion!;
  const [height, width, channels] = pictureOf(input, plan);
  const dims = [batch, channels, height, width];
  const random = new Random(spec.seed, 'recover:start', index);
  const size = batch * channels * height * width;
  const start = Float32Array.from({ length: size }, () => random.normal());
  const perChannel = (f: (c: number) => number): number[] => Array.from({ length: channels }, (_, c) => f(c));
  const std = (c: number): number => input.std[c] ?? input.std[0]!;
  const mean = (c: number): number => input.mean[c] ?? input.mean[0]!;
  const program = buildInversion({
    teacher: decodeModel(await blobs.get(plan.model.hash)),
    input: { name: plan.input.name, layout: input.layout },
    constants: new Map(
      plan.constants.map((each) => [each.name, constantTensor(each, [batch, ...input.dims])]),
    ),
    scores: plan.scores,
    pictures: tensor('float32', dims, start),
    slope: perChannel((c) => (BYTES.deviation * input.scale) / std(c)),
    offset: perChannel((c) => (BYTES.centre * input.scale - mean(c)) / std(c)),
    weights,
    learningRate,
  });
  const kernel = namedKernel(spec.train, kernels);
  return {
    name: 'recover',
    phase: {
      name: `batch-${index + 1}`,
      terms: [],
      steps,
      start: 0,
      schedule: { first: 0, steps },
      before: index * steps,
    },
    stepsBefore: index * steps,
    program,
    kernel,
    settings: {
      ...spec.train,
      optimizer: program.optimizer,
      schedule: { name: 'cosine', options: {} },
      select: 'last',
    },
    seed: spec.seed,
    batches: shownBatches(program.batch.find(({ name }) => name === INVERSION_INPUTS.labels)!, {
      first: index * batch,
      sides: [height, width],
      shift,
      flip,
      seed: spec.seed,
      index,
    }),
    roundSteps: steps,
    validate: async () => ({ score: null, figures: {} }),
  };
}

/** Height, width and channels of the pictures a teacher can give back; refusals say which it cannot. */
function pictureOf({ picture, dims }: InputPlan, { input, batch }: TeacherPlan) {
  const refuse = (why: string): never => {
    throw new RetortError('ONNX_UNSUPPORTED', `no pictures can be recovered from the teacher: ${why}`, {
      hint: 'Take "label-free" with rows of your own.',
    });
  };
  if (!picture || dims.length !== 3) return refuse(`"${input.name}" takes no pictures [C, H, W]`);
  if (input.dtype !== 'float32')
    return refuse(`"${input.name}" takes ${input.dtype}, through which nothing is learned`);
  if (batch !== null) return refuse(`it runs ${batch} row${batch === 1 ? '' : 's'} at a time`);
  return picture;
}
