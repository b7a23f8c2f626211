import { catalogue, type ErrorCode, RetortError } from '../errors.ts';

/** A RetortError as data: what is stored, sent between processes and shown to users. */
export interface Fault {
  readonly code: ErrorCode;
  readonly message: string;
  readonly hint: string | null;
  readonly problems: readonly string[];
  readonly facts: Readonly<Record<string, unknown>>;
}

/**
 * What to tell of something thrown. Anything but a RetortError is a bug of ours or of a library: its text may hold
 * paths and data, so it is kept for the log and the reader learns the code alone.
 */
export function faultOf(thrown: unknown): Fault {
  if (thrown instanceof RetortError) {
    const { code, message, hint, problems, facts } = thrown;
    return { code, message, hint: hint ?? null, problems, facts };
  }
  return {
    code: 'INTERNAL',
    message: 'something went wrong inside Retort',
    hint: 'The log of the service has the details under the id of this request or job.',
    problems: [],
    facts: {},
  };
}

/** The error again, where it is to be thrown on this side of a process or a connection. */
export function errorOf({ code, message, hint, problems, facts }: Fault): RetortError {
  const known = code in catalogue ? code : 'INTERNAL';
  return new RetortError(known, message, { ...(hint === null ? {} : { hint }), problems, facts });
}
