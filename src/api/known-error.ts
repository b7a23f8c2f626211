import { RetortError } from '../errors.ts';

/** Errors of Fastify, its plugins and Node, as far as they are the request's fault or the disk's: what they mean here. */
export interface KnownError {
  readonly error: RetortError;
  /** Where HTTP has a better status than the code's usual one. */
  readonly status?: number;
}

/** What was thrown, in the words of the catalogue; undefined for what nobody has foreseen. */
export function knownError(thrown: unknown): KnownError | undefined {
  if (thrown instanceof RetortError) return { error: thrown };
  if (!(thrown instanceof Error)) return undefined;
  const { code = '', statusCode } = thrown as Error & { code?: string; statusCode?: number };
  const full = codes(thrown).find((each) => each === 'ENOSPC' || each === 'EDQUOT');
  if (full) {
    return {
      error: new RetortError('STORE_FULL', 'there is no room left for this', {
        cause: thrown,
        hint: 'Delete jobs, models or datasets that are not needed any more, or give the service a larger disk.',
      }),
    };
  }
  if (code === 'FST_MP_PREMATURE_CLOSE' || code === 'ECONNRESET') {
    return {
      error: new RetortError('UPLOAD_ABORTED', 'the connection ended before the body was whole', {
        cause: thrown,
      }),
    };
  }
  if (code === 'FST_ERR_CTP_BODY_TOO_LARGE') {
    return { error: new RetortError('UPLOAD_TOO_LARGE', 'the body is larger than this endpoint takes') };
  }
  if (code === 'FST_ERR_CTP_INVALID_MEDIA_TYPE') {
    return {
      error: new RetortError('REQUEST_INVALID', 'this endpoint does not take this Content-Type', {
        hint: 'See /docs for what it takes.',
      }),
      status: 415,
    };
  }
  if (isMultipartFault(code, thrown.message)) {
    return {
      error: new RetortError('UPLOAD_INVALID', `the multipart body is wrong: ${thrown.message}`, {
        cause: thrown,
      }),
    };
  }
  if (statusCode !== undefined && statusCode >= 400 && statusCode < 500) {
    return {
      error: new RetortError('REQUEST_INVALID', thrown.message, { cause: thrown }),
      status: statusCode,
    };
  }
  return undefined;
}

/** Faults of the parser: its own words name no paths and no data. */
const isMultipartFault = (code: string, message: string): boolean =>
  /^FST_(PARTS_LIMIT|FILES_LIMIT|FIELDS_LIMIT|PROTO_VIOLATION|INVALID_MULTIPART_CONTENT_TYPE)$/.test(code) ||
  /^(Multipart: Boundary not found|Unexpected end of multipart data|Part terminated early)/.test(message);

/** Codes of an error and of what caused it. */
function codes(error: unknown, depth = 0): string[] {
  if (!(error instanceof Error) || depth > 5) return [];
  const { code } = error as { code?: unknown };
  return [...(typeof code === 'string' ? [code] : []), ...codes(error.cause, depth + 1)];
}
