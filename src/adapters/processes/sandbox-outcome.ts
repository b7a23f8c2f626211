import { type ErrorCode, RetortError } from '../../errors.ts';
import { errorOf } from '../../service/fault.ts';
import type { Outcome, RequestLimits } from './disposable-process.ts';

/** What a request was about. */
export type SandboxSubject = 'model' | 'dataset' | 'job';

/** The value of a request to the sandbox, or the error its user sees. */
export function outcomeValue(outcome: Outcome, subject: SandboxSubject, limits: RequestLimits): unknown {
  switch (outcome.kind) {
    case 'value':
      return outcome.value;
    case 'fault': {
      const error = errorOf(outcome.fault);
      // A bug is told to the log alone, by its cause.
      if (error.code === 'INTERNAL') error.cause = new Error(outcome.said);
      throw error;
    }
    case 'aborted':
      throw new RetortError('CANCELLED', `stopped while ${doing[subject]}`, { hint: 'Ask again.' });
    case 'limit':
      throw limitError(outcome.limit, subject, limits);
    case 'died':
      throw deathError(outcome, subject);
  }
}

const doing = {
  model: 'opening the model',
  dataset: 'reading the dataset',
  job: 'validating the job',
} as const satisfies Record<SandboxSubject, string>;

function limitError(
  limit: Extract<Outcome, { kind: 'limit' }>['limit'],
  subject: SandboxSubject,
  { seconds, memoryBytes }: RequestLimits,
): RetortError {
  if (limit === 'disk') {
    return new RetortError('SANDBOX_LIMIT', `${doing[subject]} took more room on disk than is allowed`, {
      hint: 'Send a smaller file.',
      facts: { limit },
    });
  }
  const time = subject === 'model' ? 'RETORT_SANDBOX_SECONDS' : 'RETORT_SANDBOX_DATA_SECONDS';
  const { more, setting, most } = {
    time: { more: `longer than ${seconds} s`, setting: time, most: seconds },
    cpu: { more: 'more CPU time than every core has in the time allowed', setting: time, most: seconds },
    memory: {
      more: `more memory than ${memoryBytes} bytes`,
      setting: 'RETORT_SANDBOX_BYTES',
      most: memoryBytes,
    },
  }[limit];
  return new RetortError('SANDBOX_LIMIT', `${doing[subject]} took ${more} (${setting})`, {
    hint: `Send a smaller file, or have the service's ${setting} raised.`,
    facts: { limit, setting, most },
  });
}

function deathError(
  { signal, code, note, said }: Extract<Outcome, { kind: 'died' }>,
  subject: SandboxSubject,
): RetortError {
  const cause = new Error(said);
  // Not sent by us: the system's way to get memory back.
  if (signal === 'SIGKILL') {
    return new RetortError(
      'SANDBOX_LIMIT',
      `${doing[subject]} was ended by the system, most likely for want of memory`,
      {
        hint: 'Send a smaller file, or try again when the machine has less to do.',
        cause,
        facts: { signal },
      },
    );
  }
  // It says what it does before it opens anything; without that, no file is to blame.
  if (note === undefined) {
    const ended = signal ?? (code === null ? 'it could not be started' : `exit code ${code}`);
    return new RetortError('INTERNAL', `the process that opens files ended before it began (${ended})`, {
      cause,
    });
  }
  const blamed = note === 'dataset' ? 'dataset' : 'model';
  const errorCode: ErrorCode = blamed === 'dataset' ? 'DATA_UNREADABLE' : 'ONNX_INVALID';
  return new RetortError(
    errorCode,
    `the ${blamed === 'dataset' ? 'decoder' : 'runtime'} crashed (${signal ?? `exit code ${code}`}) while ${doing[blamed]}`,
    {
      hint: `The ${blamed} is damaged, or uses something that breaks the library. Make it anew with another tool.`,
      cause,
      facts: { signal, code },
    },
  );
}
