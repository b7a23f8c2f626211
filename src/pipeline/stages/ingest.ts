import type { Source } from '../../data/format.ts';
import type { Artifact, Stage } from '../stage.ts';

/** Files of the user into blobs; their hashes are what every later key hangs on. */
export const ingest: Stage<'ingest'> = {
  name: 'ingest',
  summary: 'takes in teacher and data',
  version: 1,
  // Hashing the files is the work itself, so there is nothing to be saved by a key.
  async run(_, context) {
    if ('stored' in context.upload) return context.upload.stored;
    const { teacher, companions, data } = context.upload;
    const total = [teacher, ...companions, ...data].reduce((sum, file) => sum + file.size, 0);
    let before = 0;
    const take = async (file: Source): Promise<Artifact> => {
      const ref = await context.blobs.put(counted(file, (bytes) => context.progress(before + bytes, total)));
      before += file.size;
      return { name: file.name, ...ref };
    };
    const takeAll = async (files: readonly Source[]): Promise<Artifact[]> => {
      const taken: Artifact[] = [];
      for (const file of files) taken.push(await take(file));
      return taken;
    };
    return {
      teacher: await take(teacher),
      companions: await takeAll(companions),
      data: await takeAll(data),
    };
  },
};

async function* counted(file: Source, onBytes: (bytes: number) => void): AsyncGenerator<Uint8Array> {
  let bytes = 0;
  for await (const chunk of file.stream()) {
    bytes += chunk.byteLength;
    onBytes(bytes);
    yield chunk;
  }
}
