import { createWriteStream } from 'node:fs';
import { mkdir, rename } from 'node:fs/promises';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { fileSource } from '../../adapters/files/file-source.ts';
import { localFacilities, localTools } from '../../adapters/local-tools.ts';
import { fsStores } from '../../adapters/storage/fs-stores.ts';
import { journey } from '../../pipeline/journey.ts';
import { verdictRows } from '../../pipeline/model-card-text.ts';
import type { BlobStore } from '../../pipeline/ports.ts';
import type { Report } from '../../pipeline/report.ts';
import { runJourney } from '../../pipeline/run.ts';
import type { Artifact } from '../../pipeline/stage.ts';
import { parseSpec } from '../../spec/parse-spec.ts';
import { resolveSpec } from '../../spec/resolve-spec.ts';
import type { CliCommand, CliIo } from '../command.ts';
import { progressObserver } from '../progress-bars.ts';
import { readJson } from '../read-json.ts';
import { table } from '../table.ts';

interface Options {
  readonly teacher: string;
  readonly data: readonly string[];
  readonly spec?: string;
  readonly out: string;
  readonly store?: string;
  readonly with?: readonly string[];
}

/** `retort distill`: the whole journey in this process. */
export const distill: CliCommand = {
  add(program, io) {
    program
      .command('distill')
      .description('distils a teacher into a student; run it again to go on after a stop')
      .requiredOption('--teacher <file>', 'the teacher, an ONNX model')
      .requiredOption('--data <file...>', 'the dataset: an archive, or several files')
      .option('--spec <file>', 'what to do, JSON; default: every default')
      .requiredOption('--out <folder>', 'where the results go')
      .option('--store <folder>', 'where work is kept and shared between runs; default: <out>/.retort')
      .option('--with <file...>', 'files the teacher or the spec names: external data, a student model')
      .action((options: Options) => run(options, io));
  },
};

async function run(options: Options, io: CliIo): Promise<void> {
  const requested = parseSpec(options.spec === undefined ? { version: 1 } : await readJson(options.spec));
  const spec = resolveSpec(requested, localFacilities());
  const tools = localTools(fsStores(options.store ?? join(options.out, '.retort')));
  const open = (paths: readonly string[]) => Promise.all(paths.map((path) => fileSource(path)));
  const [teacher, data, companions] = await Promise.all([
    fileSource(options.teacher),
    open(options.data),
    open(options.with ?? []),
  ]);
  try {
    const { publish } = await runJourney(
      {
        upload: { teacher, data, companions },
        requested,
        spec,
        signal: io.signal,
        observer: progressObserver(
          io,
          Object.fromEntries(journey.map(({ name, summary }) => [name, summary])),
        ),
      },
      tools,
    );
    await copyOut(publish.artifacts, options.out, tools.blobs);
    const report = publish.artifacts.find((artifact) => artifact.name === 'report.json')!;
    const text = new TextDecoder().decode(await tools.blobs.get(report.hash));
    const found = JSON.parse(text) as Report;
    io.out.write(table(verdictRows(found)));
    for (const warning of found.warnings) io.out.write(`warning: ${warning}\n`);
    io.out.write(`\n${join(options.out, 'student.onnx')} and ${publish.artifacts.length - 1} more files\n`);
  } finally {
    await Promise.all([teacher, ...data, ...companions].map((file) => file.close()));
  }
}

/** Artifacts appear under their names whole or not at all. */
async function copyOut(artifacts: readonly Artifact[], out: string, blobs: BlobStore): Promise<void> {
  await mkdir(out, { recursive: true });
  for (const { name, hash } of artifacts) {
    const temporary = join(out, `.${name}.part`);
    await pipeline(blobs.stream(hash), createWriteStream(temporary));
    await rename(temporary, join(out, name));
  }
}
