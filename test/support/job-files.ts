import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { concat } from '../../src/adapters/storage/concat.ts';
import { tinyPictures, tinySpec, tinyTeacher } from './tiny-job.ts';

/** A folder with the files of a tiny job, and the arguments of `retort distill` that name them, `--out` last. */
export async function withJobFiles(
  body: (folder: string, args: string[]) => Promise<void>,
  spec: object = tinySpec(),
  teacher: Uint8Array = tinyTeacher(),
): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'retort-cli-'));
  const file = async (name: string, data: Uint8Array | string): Promise<string> => {
    await writeFile(join(folder, name), data);
    return join(folder, name);
  };
  try {
    const data: string[] = [];
    for (const source of tinyPictures()) data.push(await file(source.name, await concat(source.stream())));
    const model = await file('teacher.onnx', teacher);
    const written = await file('spec.json', JSON.stringify(spec));
    const out = join(folder, 'out');
    await body(folder, ['--teacher', model, '--data', ...data, '--spec', written, '--out', out]);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
