import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import type { NDArray } from '../../src/core/ndarray.ts';
import { decodeModel } from '../../src/core/onnx/decode.ts';
import { byteLength, dtypes } from '../../src/core/onnx/dtype.ts';
import { feedInputs, type Model, type Shape } from '../../src/core/onnx/model.ts';
import { floatToHalf, sizeOf } from '../../src/core/onnx/tensor.ts';
import { Random } from '../../src/core/random.ts';
import { fixture } from './fixtures.ts';

export interface RealModel {
  readonly name: string;
  readonly kind: 'teacher' | 'gradzoo';
  load(): Model;
}

/** The string model needs a locale that bare machines lack (PROVENANCE 6). */
const needsLocale = ['spam-lr-tfidf'];

/** Every fixture model that runs on this machine; empty where there are no fixtures. */
export function realModels(): RealModel[] {
  return [...folder('fixtures/teachers', 'teacher'), ...folder('gradzoo', 'gradzoo')].filter(
    (model) => !needsLocale.includes(model.name),
  );
}

function folder(path: string, kind: RealModel['kind']): RealModel[] {
  const root = fixture(path);
  if (!root) return [];
  const names = readdirSync(root, { withFileTypes: true }).filter((entry) => entry.isDirectory());
  return names.flatMap(({ name }) => {
    const file = readdirSync(join(root, name)).find((entry) => /\.onnx(\.gz)?$/.test(entry));
    if (!file) return [];
    const load = (): Model => {
      const bytes = readFileSync(join(root, name, file));
      return decodeModel(file.endsWith('.gz') ? gunzipSync(bytes) : bytes);
    };
    return [{ name, kind, load }];
  });
}

/** Seeded feeds: symbolic sizes become `batch` (a sequence 576 samples, a sampling rate 16,000). */
export function feedsFor(
  model: Model,
  batch: number,
): { readonly feeds: Record<string, NDArray>; readonly shapes: Record<string, Shape> } {
  const feeds: Record<string, NDArray> = {};
  const shapes: Record<string, Shape> = {};
  for (const input of feedInputs(model.graph)) {
    const dims = input.shape!.map((dim) =>
      typeof dim === 'number' ? dim : dim === 'sequence' ? 576 : batch,
    );
    const random = new Random(11, input.name);
    const count = sizeOf(dims);
    const data = new dtypes[input.dtype!].array!(new ArrayBuffer(byteLength(input.dtype!, count)), 0, count);
    for (let i = 0; i < count; i++) {
      const u = random.uniform();
      if (input.dtype === 'int64') data[i] = input.name === 'sr' ? 16000n : BigInt(Math.floor(u * 10));
      else if (input.dtype === 'float16') data[i] = floatToHalf(u);
      else data[i] = input.dtype === 'float32' ? u : Math.floor(u * 2);
    }
    feeds[input.name] = { dtype: input.dtype!, dims, data };
    shapes[input.name] = dims;
  }
  return { feeds, shapes };
}
