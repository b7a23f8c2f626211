import { type TeacherTap, tapInputs } from '../../core/program/feature-inputs.ts';
import type { Chunk, ChunkResult, Trainer } from '../../core/program/kernel.ts';
import { RetortError } from '../../errors.ts';
import { refuseNotFiniteTensor } from '../layers/refuse-not-finite-tensor.ts';

/**
 * Runs K steps. Where their loss is no number and a tensor of the teacher that they were fed is none either, TEACHER_NOT_FINITE
 * names it in the place of TRAIN_DIVERGED. Tensors are looked at afterwards, since any row of any step may hold the first
 * infinity, and looking is a pass over all that is fed.
 */
export async function runSteps(
  trainer: Pick<Trainer, 'run'>,
  chunk: Chunk,
  taps: readonly TeacherTap[] = [],
): Promise<ChunkResult> {
  try {
    return await trainer.run(chunk);
  } catch (error) {
    if (error instanceof RetortError && error.code === 'TRAIN_DIVERGED') refuseTaps(chunk, taps);
    throw error;
  }
}

/** Feeds of a tap are [K, B, ...]. */
function refuseTaps({ feeds }: Chunk, taps: readonly TeacherTap[]): void {
  for (const [i, input] of tapInputs(taps).entries()) {
    const { data, dims } = feeds[input.name]!;
    refuseNotFiniteTensor(taps[i]!.name, data as Float32Array, dims[0]! * dims[1]!);
  }
}
