import type { RetortClient } from '../../client/retort-client.ts';
import type { CliIo } from '../command.ts';
import { progressObserver } from '../progress-bars.ts';
import type { LocalFile } from './local-file.ts';

/** Uploads files resumably, with one bar over all of them; returns their ids, in order. */
export async function uploadFiles(
  client: RetortClient,
  files: readonly LocalFile[],
  io: CliIo,
): Promise<string[]> {
  const total = files.reduce((sum, { data }) => sum + data.size, 0);
  const observer = progressObserver(io, { upload: 'uploads the files' });
  const begun = Date.now();
  let before = 0;
  const ids: string[] = [];
  observer.stage('upload', 'started', 0);
  try {
    for (const file of files) {
      const onProgress = (sent: number): void => observer.progress('upload', before + sent, total);
      ids.push((await client.uploads.create(file, { signal: io.signal, onProgress })).id);
      before += file.data.size;
    }
    observer.stage('upload', 'done', Date.now() - begun);
    return ids;
  } finally {
    observer.close();
  }
}
