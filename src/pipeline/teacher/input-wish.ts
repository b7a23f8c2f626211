import type { Preprocess } from '../../core/preprocess.ts';
import type { PictureWish } from '../../data/picture.ts';
import type { InputType, PreprocessWish } from '../../data/preprocess.ts';
import { RetortError } from '../../errors.ts';
import type { ResolvedSpec } from '../../spec/resolved-spec.ts';
import type { TeacherPlan } from './teacher-plan.ts';

/** Where inputs are declared: the spec for the job's teacher, its options for a further one. */
type DeclaredInputs = Pick<ResolvedSpec, 'inputs'>;

/** What the spec declares of one teacher input; '*' speaks of the only one. */
export const declaredFor = (spec: DeclaredInputs, input: string): Preprocess =>
  spec.inputs[input] ?? spec.inputs['*'] ?? {};

/** The part of it that says how columns become numbers. */
export function preprocessWish(spec: DeclaredInputs, input: string): PreprocessWish {
  const { column: _column, constant: _constant, ...wish } = declaredFor(spec, input);
  return wish;
}

/** How pictures are decoded: as declared, else as the teacher's input wants them, else as they come. */
export function pictureWish(spec: DeclaredInputs, { input }: Pick<TeacherPlan, 'input'>): PictureWish {
  const { size, colour, layout } = declaredFor(spec, input.name);
  const seen = pictureShape(input.shape, layout);
  const height = size?.[0] ?? seen?.height;
  const width = size?.[1] ?? seen?.width;
  const channels = seen?.channels;
  const wanted = colour ?? (channels === 1 ? 'grey' : channels === 3 ? 'RGB' : undefined);
  return {
    ...(height && width ? { size: [height, width] as const } : {}),
    ...(wanted ? { colour: wanted === 'grey' ? 'grey' : 'RGB' } : {}),
  };
}

/** Height, width and channels of a picture input: [C, H, W] or [H, W, C], told apart by the channel count. */
export function pictureShape(shape: readonly (number | null)[], layout?: 'NCHW' | 'NHWC') {
  if (shape.length !== 3) return undefined;
  const isChannels = (dim: number | null | undefined) => dim === 1 || dim === 3;
  const last = layout ? layout === 'NHWC' : !isChannels(shape[0]) && isChannels(shape[2]);
  const [channels, height, width] = last ? [shape[2], shape[0], shape[1]] : [shape[0], shape[1], shape[2]];
  return { channels, height, width, layout: last ? ('NHWC' as const) : ('NCHW' as const) };
}

/** The type rows are assembled in for a teacher input: its own where pictures and arrays can be written in it. */
export function assembledType({ input }: TeacherPlan): InputType {
  const { dtype } = input;
  if (dtype === 'uint8' || dtype === 'int32' || dtype === 'int64' || dtype === 'float32') return dtype;
  if (dtype === 'float16' || dtype === 'float64') return 'float32';
  throw new RetortError(
    'ONNX_UNSUPPORTED',
    `the teacher's input "${input.name}" is ${dtype}, which cannot be fed from data`,
  );
}
