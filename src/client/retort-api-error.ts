import type { Problem } from '../contract/problem.ts';

interface ApiErrorDetails {
  readonly code: string;
  readonly status: number;
  readonly retryable: boolean;
  readonly hint?: string | undefined;
  readonly problems?: readonly string[] | undefined;
  readonly facts?: Readonly<Record<string, unknown>> | undefined;
  readonly requestId?: string | undefined;
  readonly retryAfter?: number | undefined;
  readonly cause?: unknown;
}

/** What the server, or something before it, has answered instead of what was asked for. */
export class RetortApiError extends Error {
  override readonly name = 'RetortApiError';
  /** Code of the error catalogue; `HTTP_<status>` where the answer was no problem document. */
  readonly code: string;
  /** HTTP status; 0 where there was no answer. */
  readonly status: number;
  readonly hint: string | undefined;
  readonly problems: readonly string[];
  readonly facts: Readonly<Record<string, unknown>>;
  /** Whether the same request can succeed later. */
  readonly retryable: boolean;
  readonly requestId: string | undefined;
  /** Milliseconds the server asks to wait. */
  readonly retryAfter: number | undefined;

  constructor(message: string, details: ApiErrorDetails) {
    super(message, details.cause === undefined ? undefined : { cause: details.cause });
    this.code = details.code;
    this.status = details.status;
    this.hint = details.hint;
    this.problems = details.problems ?? [];
    this.facts = details.facts ?? {};
    this.retryable = details.retryable;
    this.requestId = details.requestId;
    this.retryAfter = details.retryAfter;
  }

  /** Reads the answer's body. */
  static async of(response: Response): Promise<RetortApiError> {
    const { status } = response;
    const retryAfter = millisecondsOf(response.headers.get('retry-after'), Date.now());
    const text = await response.text().catch(() => '');
    const problem = problemOf(text, response.headers.get('content-type') ?? '');
    if (!problem) {
      return new RetortApiError(`the answer was ${status} ${response.statusText}`.trim(), {
        code: codes[status] ?? `HTTP_${status}`,
        status,
        retryable: passing.has(status),
        hint: 'It is no answer of Retort: look at the URL, and at what stands before the server.',
        requestId: response.headers.get('x-request-id') ?? undefined,
        retryAfter,
      });
    }
    const { detail, title, code, hint, problems, facts, retryable, requestId } = problem;
    const more = { hint, problems, facts, requestId, retryAfter };
    return new RetortApiError(detail ?? title, { code, status, retryable, ...more });
  }

  /** No answer came at all. The URL is told without credentials. */
  static unreachable(url: URL, cause: unknown): RetortApiError {
    return new RetortApiError(`${url.origin} cannot be reached: ${reasonOf(cause)}`, {
      code: 'SERVICE_UNREACHABLE',
      status: 0,
      retryable: true,
      hint: 'Look whether the server runs (`retort serve`) and whether the URL is right.',
      cause,
    });
  }
}

const codes: Readonly<Record<number, string>> = {
  401: 'AUTH_REQUIRED',
  403: 'AUTH_FORBIDDEN',
  404: 'NOT_FOUND',
  413: 'UPLOAD_TOO_LARGE',
  429: 'RATE_LIMITED',
  502: 'SERVICE_UNREACHABLE',
  503: 'SERVICE_UNREACHABLE',
  504: 'SERVICE_UNREACHABLE',
};
const passing: ReadonlySet<number> = new Set([408, 425, 429, 502, 503, 504]);

function problemOf(text: string, type: string): Problem | undefined {
  if (!/^application\/(problem\+)?json\b/i.test(type)) return undefined;
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null && 'code' in value ? (value as Problem) : undefined;
  } catch {
    // A proxy that calls its page JSON: told as an answer that is none of ours.
    return undefined;
  }
}

/** Milliseconds of a Retry-After header: seconds, or an HTTP date. */
export function millisecondsOf(header: string | null, now: number): number | undefined {
  if (header === null) return undefined;
  const text = header.trim();
  if (/^\d+$/.test(text)) return Number(text) * 1000;
  const at = Date.parse(text);
  return Number.isNaN(at) ? undefined : Math.max(0, at - now);
}

/** fetch says "fetch failed"; what happened is in its cause. */
function reasonOf(thrown: unknown): string {
  const { message, cause } = thrown as { message?: string; cause?: { message?: string; code?: string } };
  return cause?.message || cause?.code || message || String(thrown);
}
