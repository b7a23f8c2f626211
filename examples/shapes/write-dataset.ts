import { createWriteStream } from 'node:fs';
import { pipeline } from 'node:stream/promises';
import sharp from 'sharp';
import { ZipFile } from 'yazl';
import { classNames } from './classes.ts';
import { draw, SIZE } from './draw.ts';

export interface DatasetPlan {
  readonly seed: number;
  /** Pictures per class. */
  readonly train: number;
  readonly validation: number;
  readonly test: number;
  /** Pictures of each class that are thrown together without a label. */
  readonly unlabelled: number;
}

/** Index ranges of the splits; pictures of different splits never share an index. */
const FIRST = { train: 0, validation: 100_000, test: 200_000, unlabelled: 300_000 } as const;

/** Writes a zip of class folders (train/, val/, test/) and train/unlabelled/. Equal plans give equal pictures. */
export async function writeDataset(path: string, plan: DatasetPlan): Promise<void> {
  const zip = new ZipFile();
  const add = async (name: string, label: string, index: number) =>
    zip.addBuffer(await png(draw(label, plan.seed, index)), name, { compress: false, mtime: new Date(0) });
  const number = (i: number) => String(i).padStart(5, '0');
  for (const [c, label] of classNames.entries()) {
    for (let i = 0; i < plan.train; i++) await add(`train/${label}/${number(i)}.png`, label, FIRST.train + i);
    for (let i = 0; i < plan.validation; i++)
      await add(`val/${label}/${number(i)}.png`, label, FIRST.validation + i);
    for (let i = 0; i < plan.test; i++) await add(`test/${label}/${number(i)}.png`, label, FIRST.test + i);
    for (let i = 0; i < plan.unlabelled; i++) {
      await add(`train/unlabelled/${number(i * classNames.length + c)}.png`, label, FIRST.unlabelled + i);
    }
  }
  zip.end();
  await pipeline(zip.outputStream, createWriteStream(path));
}

/** One row of examples per class, eight to a row, four times enlarged. */
export async function writeContactSheet(path: string, seed: number): Promise<void> {
  const [columns, gap] = [8, 2];
  const cell = SIZE + gap;
  const tiles = classNames.flatMap((label, row) =>
    Array.from({ length: columns }, (_, i) => ({
      input: Buffer.from(draw(label, seed, FIRST.test + i)),
      raw: { width: SIZE, height: SIZE, channels: 3 as const },
      left: i * cell,
      top: row * cell,
    })),
  );
  const size = {
    width: columns * cell,
    height: classNames.length * cell,
    channels: 3 as const,
    background: '#fff',
  };
  const sheet = await sharp({ create: size }).composite(tiles).png().toBuffer();
  await sharp(sheet)
    .resize(size.width * 4, size.height * 4, { kernel: 'nearest' })
    .png()
    .toFile(path);
}

const png = (pixels: Uint8Array): Promise<Buffer> =>
  sharp(pixels, { raw: { width: SIZE, height: SIZE, channels: 3 } })
    .png({ compressionLevel: 3 })
    .toBuffer();
