import { join } from 'node:path';
import { type FileSource, fileSource } from '../../adapters/files/file-source.ts';
import { localFacilities, localTools } from '../../adapters/local-tools.ts';
import { fsStores } from '../../adapters/storage/fs-stores.ts';
import type { Report } from '../../pipeline/report/report.ts';
import { runJourney } from '../../pipeline/run.ts';
import { parseSpec } from '../../spec/parse-spec.ts';
import { resolveSpec } from '../../spec/resolve-spec.ts';
import { announceStop } from '../announce-stop.ts';
import type { CliIo } from '../command.ts';
import { progressObserver } from '../progress-bars.ts';
import { readJson } from '../read-json.ts';
import { stageSummaries } from '../stage-summaries.ts';
import type { DistillOptions } from './distill-options.ts';
import { printVerdict } from './print-verdict.ts';
import { writeWhole } from './write-whole.ts';

/** The whole journey in this process. */
export async function distillHere(options: DistillOptions & { out: string }, io: CliIo): Promise<void> {
  const requested = parseSpec(options.spec === undefined ? { version: 1 } : await readJson(options.spec));
  const spec = resolveSpec(requested, await localFacilities(requested));
  const tools = localTools(fsStores(options.store ?? join(options.out, '.retort')));
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
    const { publish } = await runJourney({ upload, requested, spec, signal: io.signal, observer }, tools);
    for (const { name, hash } of publish.artifacts) {
      await writeWhole(options.out, name, tools.blobs.stream(hash));
    }
    const report = publish.artifacts.find((artifact) => artifact.name === 'report.json')!;
    const text = new TextDecoder().decode(await tools.blobs.get(report.hash));
    printVerdict(JSON.parse(text) as Report, io, { out: options.out, files: publish.artifacts.length });
  } finally {
    observer.close();
    await Promise.all(opened.map((file) => file.close()));
  }
}
