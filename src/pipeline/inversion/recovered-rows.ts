import { BYTES, type Inversion } from '../../core/inversion/inversion.ts';
import { sizeOf } from '../../core/onnx/tensor.ts';
import { Random } from '../../core/random.ts';
import { npyBytes } from '../../data/encode-npy.ts';
import type { StoredDataset } from '../../data/open-dataset.ts';
import { withTraining } from '../../data/with-training.ts';
import { RetortError } from '../../errors.ts';
import type { BlobStore } from '../ports.ts';
import type { RecoveredPictures } from '../results.ts';

/** Pictures of noise that stand in until pictures are recovered. */
const STAND_INS = 16;

/** The dataset with the recovered pictures as its training rows; noise, where they are still to be made. */
export async function withRecovered(
  dataset: StoredDataset,
  column: string,
  { images }: Pick<Inversion, 'images'>,
  recovered: RecoveredPictures | null,
  blobs: BlobStore,
): Promise<StoredDataset> {
  const { kind, dims } = dataset.columns.find(({ name }) => name === column)!;
  if (kind !== 'image') {
    throw new RetortError(
      'DATA_MISMATCH',
      `column "${column}" holds no pictures, and only these are recovered`,
      {
        hint: 'Take "label-free" with rows of your own.',
      },
    );
  }
  const random = new Random(0, 'stand-in');
  const bytes = recovered
    ? npyBytes(await blobs.get(recovered.pictures.hash))
    : Uint8Array.from({ length: STAND_INS * sizeOf(dims) }, () => toByte(random.normal()));
  return withTraining(dataset, { column, rows: images, bytes });
}

/** One number of a picture as a byte. */
export const toByte = (u: number): number =>
  Math.min(255, Math.max(0, Math.round(BYTES.centre + BYTES.deviation * u)));
