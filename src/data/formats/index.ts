import type { DatasetFormat } from '../format.ts';
import { csv } from './csv.ts';
import { idx } from './idx.ts';
import { imageFolder } from './image-folder.ts';
import { npy } from './npy.ts';

/** Dataset formats by name, in the order they are tried: those with magic numbers first. */
export const formats = {
  'image-folder': imageFolder,
  idx,
  npy,
  csv,
} as const satisfies Record<string, DatasetFormat>;
