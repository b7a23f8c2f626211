import { encodeModel } from '../../src/core/onnx/encode.ts';
import { Random } from '../../src/core/random.ts';
import { onnxFiles } from './onnx-files.ts';
import { sampleModel } from './sample-model.ts';

type Edit = (file: Uint8Array, random: Random, other: Uint8Array) => Uint8Array;

const edits = {
  flip(file, random) {
    for (let i = 0; i <= random.int(8); i++) file[random.int(file.length)]! ^= 1 << random.int(8);
    return file;
  },
  truncate: (file, random) => file.subarray(0, random.int(file.length)),
  /** Aims at tags and lengths near the front, where the structure is. */
  length(file, random) {
    for (let i = 0; i <= random.int(3); i++) file[random.int(Math.min(file.length, 400))] = random.int(256);
    return file;
  },
  splice(file, random, other) {
    const from = random.int(other.length);
    const piece = other.subarray(from, from + 1 + random.int(2000));
    const at = random.int(file.length);
    return Buffer.concat([file.subarray(0, at), piece, file.subarray(at + random.int(2) * piece.length)]);
  },
} satisfies Record<string, Edit>;

/** Damaged ONNX files, the same for the same number: made of real ones where the fixtures are there, and of a built one. */
export function mutations(): { readonly real: number; make(i: number): Uint8Array } {
  const real = [...onnxFiles('teachers', 'onnx-negative', 'gradzoo').values()].map((read) => read());
  const built = [encodeModel(sampleModel())];
  const small = real.filter((file) => file.length < 300_000);
  const large = real.filter((file) => file.length >= 300_000);
  return {
    real: real.length,
    make(i) {
      const random = new Random(7, 'mutation', i);
      // One in 25 damages a large file.
      const pool = i % 25 === 0 && large.length ? large : [...built, ...small];
      const pick = () => pool[random.int(pool.length)]!;
      return Object.values(edits)[i % 4]!(Uint8Array.from(pick()), random, pick());
    },
  };
}
