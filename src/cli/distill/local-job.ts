import { join } from 'node:path';
import { type FileSource, fileSource } from '../../adapters/files/file-source.ts';
import { localFacilities, localTools } from '../../adapters/local-tools.ts';
import { fsStores } from '../../adapters/storage/fs-stores.ts';
import type { JourneyRequest } from '../../pipeline/run.ts';
import type { Tools } from '../../pipeline/stage.ts';
import { resolveSpec } from '../../spec/resolve-spec.ts';
import { announceStop } from '../announce-stop.ts';
import type { CliIo } from '../command.ts';
import { progressObserver } from '../progress-bars.ts';
import { stageSummaries } from '../stage-summaries.ts';
import type { DistillOptions } from './distill-options.ts';
import { givenSpec } from './given-spec.ts';

/** Where the work of a run is kept that writes into `out`. */
export const storeIn = (out: string): string => join(out, '.retort');

/** Does what is asked of a job in this process: its files open, its work kept in `store`, its progress shown. */
export async function localJob<T>(
  options: DistillOptions,
  store: string,
  io: CliIo,
  work: (request: JourneyRequest, tools: Tools) => Promise<T>,
): Promise<T> {
  const requested = await givenSpec(options);
  const spec = resolveSpec(requested, await localFacilities(requested));
  const tools = localTools(fsStores(store));
  const opened: FileSource[] = [];
  const open = async (path: string): Promise<FileSource> => {
    const file = await fileSource(path);
    opened.push(file);
    return file;
  };
  const openAll = async (paths: readonly string[]): Promise<FileSource[]> => {
    const files: FileSource[] = [];
    for (const path of paths) files.push(await open(path));
    return files;
  };
  const observer = progressObserver(io, stageSummaries);
  try {
    const upload = {
      teacher: await open(options.teacher),
      data: await openAll(options.data),
      companions: await openAll(options.with ?? []),
    };
    announceStop(io);
    return await work({ upload, requested, spec, signal: io.signal, observer }, tools);
  } finally {
    observer.close();
    await Promise.all(opened.map((file) => file.close()));
  }
}
