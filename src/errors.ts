/**
 * The error catalogue: one table gives every code its HTTP status, exit code, retry policy and meaning.
 * The API, the CLI and the workers all read it, so an error means the same thing everywhere.
 */

export interface ErrorEntry {
  /** HTTP status of a response that carries this error. */
  readonly http: number;
  /** Process exit code (BSD sysexits: 64 usage, 65 data, 69 unavailable, 70 software, 73 cannot create, 74 I/O, 75 temporary). */
  readonly exit: number;
  /** Whether running the same thing again can help. */
  readonly retry: 'never' | 'later';
  readonly meaning: string;
}

const bad = (meaning: string): ErrorEntry => ({ http: 422, exit: 65, retry: 'never', meaning });
const bug = (meaning: string): ErrorEntry => ({ http: 500, exit: 70, retry: 'never', meaning });
const away = (meaning: string): ErrorEntry => ({ http: 503, exit: 69, retry: 'later', meaning });

export const catalogue = {
  ONNX_MALFORMED: bad('The bytes are not a readable ONNX model.'),
  ONNX_INVALID: bad('The model is readable but breaks rules of the ONNX specification.'),
  ONNX_UNSUPPORTED: bad('The model uses an operator, type or version that cannot be handled here.'),
  ONNX_EXTERNAL_DATA: bad(
    'A tensor lies in an external file that is missing, too short or outside the folder.',
  ),
  ONNX_SHAPE: bad('Shapes or element types of the graph do not fit together.'),
  GRAD_MISSING_RULE: bad('An operator on the way to a trained parameter has no gradient rule.'),
  GRAD_FORBIDDEN: bad(
    'A gradient was asked for through something that has none (an index, a shape, a string).',
  ),
  SPEC_INVALID: {
    http: 400,
    exit: 64,
    retry: 'never',
    meaning: 'The spec breaks its schema or contradicts itself.',
  },
  DATA_UNREADABLE: bad('The dataset is not in a readable format, or its archive is damaged or unsafe.'),
  DATA_REJECTS: bad('More rows were rejected than the spec allows.'),
  DATA_EMPTY: bad('A split or class that is needed holds no rows.'),
  DATA_MISMATCH: bad('The dataset does not fit the teacher: columns, shapes, classes or labels differ.'),
  TEACHER_QUALITY: bad('The teacher is not better than chance on the labelled data.'),
  TEACHER_NOT_FINITE: bad(
    'The teacher gives rows of the data scores, or hidden tensors to compare, that are infinite or not a number.',
  ),
  TEACHER_NO_SCORES: bad('No tensor of the teacher holds class scores, so there are no soft targets.'),
  STUDENT_UNFIT: bad('No student of that description fits the teacher or the limits.'),
  TRAIN_DIVERGED: bad('The training loss became infinite or not a number.'),
  TRAIN_UNSUPPORTED: bad('The kernel cannot train this program.'),
  EXPORT_FAILED: bug('The exported student does not agree with the trained one.'),
  RUNTIME_UNAVAILABLE: away('An execution device or runtime library that was asked for is not there.'),
  RUNTIME_FAILED: bug('The runtime failed while running a model.'),
  STORE_CONFLICT: {
    http: 409,
    exit: 75,
    retry: 'later',
    meaning: 'A record was changed by someone else meanwhile.',
  },
  STORE_MISSING: { http: 404, exit: 74, retry: 'never', meaning: 'A blob or record does not exist.' },
  STORE_CORRUPT: { http: 500, exit: 74, retry: 'never', meaning: 'Stored bytes do not match their hash.' },
  UPLOAD_INVALID: {
    http: 400,
    exit: 64,
    retry: 'never',
    meaning: 'The request body is not what this endpoint takes: a part is missing, doubled or misnamed.',
  },
  UPLOAD_TOO_LARGE: { http: 413, exit: 65, retry: 'never', meaning: 'More bytes than this service takes.' },
  UPLOAD_TOO_SLOW: {
    http: 408,
    exit: 75,
    retry: 'later',
    meaning: 'The upload came more slowly than the service waits for.',
  },
  UPLOAD_ABORTED: {
    http: 400,
    exit: 75,
    retry: 'later',
    meaning: 'The connection ended before the upload was whole.',
  },
  REQUEST_INVALID: { http: 400, exit: 64, retry: 'never', meaning: 'A parameter or body breaks its schema.' },
  AUTH_REQUIRED: {
    http: 401,
    exit: 77,
    retry: 'never',
    meaning: 'The request has no valid API key.',
  },
  AUTH_FORBIDDEN: { http: 403, exit: 77, retry: 'never', meaning: 'The API key may not do this.' },
  RATE_LIMITED: { http: 429, exit: 75, retry: 'later', meaning: 'Too many requests, or a quota is used up.' },
  NOT_FOUND: {
    http: 404,
    exit: 66,
    retry: 'never',
    meaning: 'There is no such resource, or it is not yours.',
  },
  IDEMPOTENCY_MISMATCH: {
    http: 422,
    exit: 65,
    retry: 'never',
    meaning: 'The idempotency key was used before with another request.',
  },
  JOB_STATE: {
    http: 409,
    exit: 65,
    retry: 'never',
    meaning: 'The job is in a state that does not allow this.',
  },
  JOB_EXPIRED: {
    http: 409,
    exit: 75,
    retry: 'later',
    meaning: 'The job was not finished within the time its user gave it.',
  },
  WORKER_CRASHED: {
    http: 500,
    exit: 70,
    retry: 'never',
    meaning: 'The process that did the work died again and again without getting any further.',
  },
  SANDBOX_LIMIT: bad('Opening the file took more time or memory than is allowed.'),
  QUEUE_UNAVAILABLE: away('Redis cannot be reached or is not set up as a queue needs it.'),
  SERVICE_STOPPING: away('The service is shutting down or is not ready yet.'),
  SERVICE_UNREACHABLE: away('The server cannot be reached, or what answers is no Retort server.'),
  SERVICE_SETUP: {
    http: 500,
    exit: 78,
    retry: 'never',
    meaning: 'The service cannot start with this configuration or on this machine.',
  },
  STORE_FULL: {
    http: 507,
    exit: 74,
    retry: 'later',
    meaning: 'There is no room left where the service keeps its files.',
  },
  STORE_UNAVAILABLE: away('The storage cannot be reached.'),
  USAGE: { http: 400, exit: 64, retry: 'never', meaning: 'The command line is wrong.' },
  FILE_UNREADABLE: {
    http: 400,
    exit: 66,
    retry: 'never',
    meaning: 'A file given by the user cannot be read.',
  },
  FILE_UNWRITABLE: {
    http: 500,
    exit: 73,
    retry: 'later',
    meaning:
      'A file or folder cannot be written: no permission, no space, or something else is in its place.',
  },
  CANCELLED: {
    http: 409,
    exit: 130,
    retry: 'later',
    meaning: 'The work was stopped by its user; it can be resumed.',
  },
  INTERNAL: bug('Retort broke one of its own rules. This is a bug.'),
} as const satisfies Record<string, ErrorEntry>;

export type ErrorCode = keyof typeof catalogue;

export interface ErrorDetails {
  readonly cause?: unknown;
  /** What the reader can do about it, one sentence. */
  readonly hint?: string;
  /** All problems found, when there are several. */
  readonly problems?: readonly string[];
  /** Figures a program may want (accuracies, limits). */
  readonly facts?: Readonly<Record<string, unknown>>;
}

/** The only error type Retort throws on purpose: a stable code, a message that names the thing, a way out. */
export class RetortError extends Error {
  override readonly name = 'RetortError';
  readonly code: ErrorCode;
  readonly hint: string | undefined;
  readonly problems: readonly string[];
  readonly facts: Readonly<Record<string, unknown>>;

  constructor(code: ErrorCode, message: string, details: ErrorDetails = {}) {
    super(message, details.cause === undefined ? undefined : { cause: details.cause });
    this.code = code;
    this.hint = details.hint;
    this.problems = details.problems ?? [];
    this.facts = details.facts ?? {};
  }

  get entry(): ErrorEntry {
    return catalogue[this.code];
  }
}

/** Guards an invariant of ours; its failure is a bug, never the user's fault. */
export function invariant(condition: unknown, message: string): asserts condition {
  if (!condition) throw new RetortError('INTERNAL', message);
}
