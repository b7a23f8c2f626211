import { PICTURES } from '../../core/inversion/build-inversion.ts';
import { typedData } from '../../core/onnx/tensor.ts';
import { decodeSnapshot } from '../../core/program/safetensors.ts';
import { encodeNpy } from '../../data/encode-npy.ts';
import type { InputPlan } from '../../data/preprocess.ts';
import { invariant } from '../../errors.ts';
import type { KernelName } from '../../spec/resolved-spec.ts';
import { askedKernel } from '../choice/asked-kernel.ts';
import { chooseKernel } from '../choice/choose-kernel.ts';
import type { RecoveredPictures } from '../results.ts';
import type { StageContext } from '../stage.ts';
import type { TeacherPlan } from '../teacher/teacher-plan.ts';
import { type TrainedPhase, trainingRun } from '../training/training-run.ts';
import { planInversion } from './plan-inversion.ts';
import { toByte } from './recovered-rows.ts';

/** Between two batches, or in one, as JSON. */
interface Progress {
  /** Chosen by the clock, so it is kept. */
  readonly kernel: KernelName;
  readonly finished: readonly TrainedPhase[];
  readonly current?: unknown;
}

/** Makes pictures batch by batch; an interrupted run goes on within the batch it was in. */
export async function recoverPictures(
  plan: TeacherPlan,
  input: InputPlan,
  context: StageContext,
): Promise<RecoveredPictures> {
  const { blobs, partial } = context;
  const { images, batch, steps } = context.spec.inversion!;
  const count = Math.ceil(images / batch);
  const saved = await partial.load<Progress>();
  const finished = [...(saved?.finished ?? [])];
  const kernel = saved?.kernel ?? (await kernelFor(plan, input, context));
  for (let index = finished.length; index < count; index++) {
    const current = index === saved?.finished.length ? saved.current : undefined;
    const run = await planInversion(index, plan, input, onKernel(kernel, context));
    finished.push(
      await trainingRun(run, {
        ...context,
        // Its curves are not those of a student.
        emit: async () => {},
        partial: {
          load: async <T>() => current as T | undefined,
          save: (value) => partial.save({ kernel, finished, current: value } satisfies Progress),
        },
        progress: (done) => context.progress(index * steps + done, count * steps, run.phase.name),
      }),
    );
    await partial.save({ kernel, finished } satisfies Progress);
  }
  const [height, width, channels] = input.picture!;
  const size = height * width * channels;
  const bytes = new Uint8Array(images * size);
  for (const [index, { snapshot }] of finished.entries()) {
    const pictures = decodeSnapshot(await blobs.get(snapshot.hash)).tensors.get(PICTURES);
    invariant(pictures, 'a batch holds no pictures');
    const values = typedData(pictures) as Float32Array;
    for (let i = 0; i < batch && index * batch + i < images; i++) {
      const own = values.subarray(i * size, (i + 1) * size);
      bytes.set(picture(own, input), (index * batch + i) * size);
    }
  }
  return {
    pictures: await blobs.put(encodeNpy([images, height, width, channels], bytes)),
    rows: images,
    terms: await lastTerms(finished, context),
    engine: finished[0]!.engine,
  };
}

const onKernel = (kernel: KernelName | 'auto', context: StageContext): StageContext => {
  const { spec } = context;
  return { ...context, spec: { ...spec, train: { ...spec.train, kernel } } };
};

/** The one that was asked for, else the one that makes the steps of the first batch fastest. */
async function kernelFor(plan: TeacherPlan, input: InputPlan, context: StageContext): Promise<KernelName> {
  const { kernel } = await chooseKernel(
    (measured) => planInversion(0, plan, input, measured),
    onKernel(askedKernel(context.requested), context),
  );
  return kernel;
}

/** u [C, H, W], channels as the teacher takes them, as bytes [H, W, C], RGB or grey. */
function picture(u: Float32Array, { picture, isBgr }: InputPlan): Uint8Array {
  const [height, width, channels] = picture!;
  const bytes = new Uint8Array(u.length);
  for (let c = 0; c < channels; c++) {
    const to = isBgr ? channels - 1 - c : c;
    for (let at = 0; at < height * width; at++)
      bytes[at * channels + to] = toByte(u[c * height * width + at]!);
  }
  return bytes;
}

/** What each term of the loss was in the end, mean over the batches. */
async function lastTerms(
  batches: readonly TrainedPhase[],
  { blobs }: Pick<StageContext, 'blobs'>,
): Promise<Record<string, number>> {
  const sums: Record<string, number> = {};
  for (const { log } of batches) {
    const lines = new TextDecoder()
      .decode(await blobs.get(log.hash))
      .trim()
      .split('\n');
    const figures = lines.map((line) => JSON.parse(line) as Record<string, unknown>);
    const last = figures.findLast(({ loss }) => loss !== undefined) ?? {};
    for (const [name, value] of Object.entries(last)) {
      if (!name.startsWith('term:') || typeof value !== 'number') continue;
      sums[name.slice('term:'.length)] = (sums[name.slice('term:'.length)] ?? 0) + value / batches.length;
    }
  }
  return sums;
}
