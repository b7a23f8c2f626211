import { RetortApiError } from '../client/retort-api-error.ts';
import { catalogue, type ErrorCode, RetortError } from '../errors.ts';
import type { CliIo } from './command.ts';

const SHOWN = 20;

/** What the file system says where a folder of ours cannot be used. */
const unwritable = new Set([
  'EACCES',
  'EDQUOT',
  'EEXIST',
  'EISDIR',
  'ELOOP',
  'ENAMETOOLONG',
  'ENOSPC',
  'ENOTDIR',
  'ENOTEMPTY',
  'EPERM',
  'EROFS',
]);

/** Prints code, message, problems and hint; returns the exit code of the catalogue. */
export function printError(thrown: unknown, io: CliIo): number {
  const error = known(thrown, io);
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

/** What the catalogue says of errors that are not its own. */
function known(thrown: unknown, io: CliIo): unknown {
  if (thrown instanceof RetortError) return thrown;
  if (thrown instanceof RetortApiError) return fromServer(thrown);
  if (io.signal.aborted) return new RetortError('CANCELLED', 'stopped', { cause: thrown });
  if (!isUnwritable(thrown)) return thrown;
  return new RetortError('FILE_UNWRITABLE', thrown.message, {
    hint: 'Give another folder (--out, --store), or make room in this one.',
    cause: thrown,
  });
}

/** The error the server has told, to be looked up in its log by the id of the request. */
function fromServer(error: RetortApiError): RetortError {
  const { code, message, status, problems, facts, requestId, cause } = error;
  const listed = code in catalogue;
  const fallback = status >= 500 ? 'INTERNAL' : 'REQUEST_INVALID';
  const request = status >= 500 && requestId ? `The server's log has it under the request ${requestId}.` : '';
  const hint = [error.hint, request].filter(Boolean).join(' ');
  const details = { problems, facts, cause, ...(hint ? { hint } : {}) };
  return listed
    ? new RetortError(code as ErrorCode, message, details)
    : new RetortError(fallback, `${code}: ${message}`, details);
}

/** A folder that cannot be made may also lie behind a link that leads nowhere. */
const isUnwritable = (error: unknown): error is NodeJS.ErrnoException =>
  error instanceof Error &&
  'code' in error &&
  (unwritable.has(String(error.code)) ||
    (error.code === 'ENOENT' && 'syscall' in error && error.syscall === 'mkdir'));
