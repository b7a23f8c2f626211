import { RetortError } from '../errors.ts';
import type { CliIo } from './command.ts';

const SHOWN = 20;

/** What the file system says where a folder of ours cannot be used. */
const unwritable = new Set(['EACCES', 'EDQUOT', 'EEXIST', 'ENOSPC', 'ENOTDIR', 'EPERM', 'EROFS']);

/** Prints code, message, problems and hint; returns the exit code of the catalogue. */
export function printError(thrown: unknown, io: CliIo): number {
  const error = isUnwritable(thrown)
    ? new RetortError('FILE_UNWRITABLE', thrown.message, {
        hint: 'Give another folder (--out, --store), or make room in this one.',
        cause: thrown,
      })
    : thrown;
  if (!(error instanceof RetortError)) {
    const text = error instanceof Error ? (error.stack ?? error.message) : String(error);
    io.err.write(`INTERNAL: ${text}\nThis is a bug in Retort.\n`);
    return 70;
  }
  io.err.write(`${error.code}: ${error.message}\n`);
  for (const problem of error.problems.slice(0, SHOWN)) io.err.write(`  - ${problem}\n`);
  if (error.problems.length > SHOWN) io.err.write(`  ... and ${error.problems.length - SHOWN} more\n`);
  if (error.hint) io.err.write(`${error.hint}\n`);
  if (process.env.RETORT_DEBUG) io.err.write(`${error.stack}\n${error.cause ?? ''}\n`);
  return error.entry.exit;
}

const isUnwritable = (error: unknown): error is Error =>
  error instanceof Error && 'code' in error && unwritable.has(String(error.code));
