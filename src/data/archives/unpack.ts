import { RetortError } from '../../errors.ts';
import type { Source } from '../format.ts';
import { defaultLimits, type Entry, type Limits, type Upload } from '../upload.ts';
import { gunzip, isGzip } from './gzip.ts';
import { collect, headOf, isLitter, safePath } from './limits.ts';
import { isTar, readTar } from './tar.ts';
import { isZip, readZip } from './zip.ts';

/**
 * Opens the containers of an upload: zip, tar, tar.gz and gz, told apart by their bytes. Several archives keep their
 * entries apart by the archives' names (train.zip, test.zip give train/..., test/...).
 */
export async function unpack(files: readonly Source[], limits: Limits = defaultLimits): Promise<Upload> {
  if (files.length === 0) throw new RetortError('DATA_UNREADABLE', 'no dataset files were given');
  const opened = await Promise.all(files.map((file) => openOne(file, limits)));
  const archives = opened.filter((one) => one.archive).length;
  return {
    name: files.map((file) => file.name).join(', '),
    async *entries() {
      for (const [i, { archive, entries }] of opened.entries()) {
        const prefix = archive && archives > 1 ? `${stem(files[i]!.name)}/` : '';
        for await (const entry of entries()) {
          if (isLitter(entry.path)) continue;
          // Not a spread: methods stay as they are, only the path changes.
          yield prefix === '' ? entry : { ...entry, path: prefix + entry.path };
        }
      }
    },
  };
}

interface Opened {
  readonly archive: boolean;
  entries(): AsyncIterable<Entry> | Iterable<Entry>;
}

async function openOne(file: Source, limits: Limits): Promise<Opened> {
  const head = await file.read(0, Math.min(512, file.size));
  if (isZip(head)) {
    const entries = await readZip(file, limits);
    return { archive: true, entries: () => entries };
  }
  if (isTar(head)) {
    return { archive: true, entries: () => readTar(() => file.stream(), file.name, limits) };
  }
  if (isGzip(head)) {
    const open = () => gunzip(file.stream(), file.name, limits);
    if (isTar(await headOf(open(), 512))) {
      return { archive: true, entries: () => readTar(open, file.name, limits) };
    }
    return {
      archive: false,
      entries: () => [plain(file.name.replace(/\.gz$/i, ''), undefined, open, limits)],
    };
  }
  return { archive: false, entries: () => [plain(file.name, file.size, () => file.stream(), limits)] };
}

function plain(
  name: string,
  size: number | undefined,
  stream: () => AsyncIterable<Uint8Array>,
  limits: Limits,
): Entry {
  return {
    path: safePath(name.slice(Math.max(name.lastIndexOf('/'), name.lastIndexOf('\\')) + 1), name),
    size,
    stream,
    head: (bytes) => headOf(stream(), bytes),
    read: () => collect(stream(), name, limits.memoryBytes),
  };
}

const stem = (name: string): string =>
  name.slice(name.lastIndexOf('/') + 1).replace(/(\.tar)?\.[a-z0-9]+$/i, '');
