import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { fixture } from './fixtures.ts';

/** Every real ONNX file among the shared fixtures, by name; empty where there are none. */
export function onnxFiles(
  ...folders: readonly ('teachers' | 'onnx-negative' | 'gradzoo')[]
): Map<string, () => Uint8Array> {
  const found = new Map<string, () => Uint8Array>();
  for (const folder of folders) {
    const root = fixture(folder === 'gradzoo' ? folder : `fixtures/${folder}`);
    for (const entry of root ? readdirSync(root, { withFileTypes: true }) : []) {
      if (!entry.isDirectory()) continue;
      const file = join(root!, entry.name, folder === 'gradzoo' ? 'model.onnx.gz' : 'model.onnx');
      found.set(`${folder}/${entry.name}`, () => {
        const bytes = readFileSync(file);
        return folder === 'gradzoo' ? gunzipSync(bytes) : bytes;
      });
    }
  }
  return found;
}
