import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { diskFolder } from '../../adapters/files/disk-folder.ts';
import { type FileSource, fileSource } from '../../adapters/files/file-source.ts';
import { sharpDecoder } from '../../adapters/images/sharp-decoder.ts';
import { onnxruntime } from '../../adapters/runtime/onnxruntime.ts';
import { decodeModel } from '../../core/onnx/decode.ts';
import { printModel } from '../../core/onnx/print.ts';
import type { DatasetCard } from '../../data/card.ts';
import { inspectDataset } from '../../data/inspect-dataset.ts';
import { RetortError } from '../../errors.ts';
import { inspectModel, type ModelInspection } from '../../pipeline/teacher/inspect-model.ts';
import { announceStop } from '../announce-stop.ts';
import { datasetText, modelText } from '../card-text.ts';
import type { CliCommand, CliIo } from '../command.ts';

interface Options {
  readonly json?: boolean;
  readonly graph?: boolean;
  readonly format?: string;
  readonly label?: string;
}

const ONLY_OTHERS = { model: ['format', 'label'], dataset: ['graph'] } as const;

/** `retort inspect`: the card of a model or a dataset. */
export const inspect: CliCommand = {
  add(program, io) {
    program
      .command('inspect')
      .description('shows what a model or a dataset is')
      .argument('<file...>', 'an ONNX model (then its external data), or the files of a dataset')
      .option('--json', 'as JSON')
      .option('--graph', 'the nodes of a model, as text')
      .option('--format <name>', 'format of the dataset; default: sniffed')
      .option('--label <column>', 'label column of a table, by name, or by number where it has no header')
      .action((paths: string[], options: Options) => run(paths, options, io));
  },
};

async function run(paths: readonly string[], options: Options, io: CliIo): Promise<void> {
  const files = await Promise.all(paths.map((path) => fileSource(path)));
  try {
    const isModel = await looksLikeModel(files[0]!);
    refuseIdle(options, isModel ? 'model' : 'dataset');
    if (isModel) {
      const [bytes, ...rest] = await Promise.all(files.map((file) => file.read(0, file.size)));
      if (options.graph) return void io.out.write(printModel(decodeModel(bytes!)));
      const external = new Map(rest.map((data, i) => [files[i + 1]!.name, data]));
      print(await inspectModel(bytes!, external, onnxruntime), modelText, options, io);
    } else {
      print(await datasetOf(files, options, io), datasetText, options, io);
    }
  } finally {
    await Promise.all(files.map((file) => file.close()));
  }
}

/** An ONNX file begins with its IR version: field 1, a small number. No archive or table does. */
/** USAGE for an option that the other kind of file has. */
function refuseIdle(options: Options, kind: keyof typeof ONLY_OTHERS): void {
  const idle = ONLY_OTHERS[kind].find((name) => options[name] !== undefined);
  if (idle) throw new RetortError('USAGE', `--${idle} is not for a ${kind}`, { hint: 'Leave it out.' });
}

async function looksLikeModel(file: FileSource): Promise<boolean> {
  const [tag, version] = await file.read(0, 2);
  return tag === 0x08 && version !== undefined && version > 0 && version < 64;
}

async function datasetOf(
  files: readonly FileSource[],
  { format, label }: Options,
  io: CliIo,
): Promise<DatasetCard> {
  announceStop(io);
  const scratch = await mkdtemp(join(tmpdir(), 'retort-inspect-'));
  try {
    return await inspectDataset({
      files,
      folder: await diskFolder(scratch),
      decoder: sharpDecoder(),
      signal: io.signal,
      ...(format === undefined ? {} : { format }),
      ...(label === undefined ? {} : { labelColumn: label }),
    });
  } finally {
    await rm(scratch, { recursive: true, force: true });
  }
}

function print<T extends ModelInspection | DatasetCard>(
  card: T,
  text: (card: T) => string,
  { json }: Options,
  io: CliIo,
): void {
  io.out.write(json ? `${JSON.stringify(card, null, 2)}\n` : text(card));
}
