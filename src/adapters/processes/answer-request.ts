import { rmSync } from 'node:fs';
import { RetortError } from '../../errors.ts';
import { type Fault, faultOf } from '../../service/fault.ts';

/** Sent by the parent to say what to do; the whole conversation is this, any number of notes, and one answer. */
export interface Asked {
  readonly request: unknown;
}

export type Said =
  | { readonly note: string }
  | { readonly ok: true; readonly value: unknown }
  | { readonly ok: false; readonly fault: Fault };

/** Variable with the working folder that is the process's own, to be removed by it if its parent cannot. */
export const SCRATCH = 'RETORT_SCRATCH';

/** Largest answer, characters of JSON: the parent, which serves everyone, has to hold it. */
const LONGEST = 4 * 2 ** 20;

/**
 * The other side of a DisposableProcess: waits for the one request, answers it, and waits to be killed. `note` tells the
 * parent what is being done, for the case that it is the last thing heard.
 */
export function answerRequest<T>(
  handle: (request: T, note: (text: string) => void) => Promise<unknown>,
): void {
  process.on('disconnect', leave);
  // The parent may have died while this process was being started.
  if (!process.connected) leave();
  const say = (said: Said): void => void process.send?.(said);
  process.once('message', async (asked: Asked) => {
    try {
      const value = await handle(asked.request as T, (note) => say({ note }));
      say(bounded({ ok: true, value }));
    } catch (error) {
      const fault = faultOf(limitMet(error) ?? error);
      // For the parent's log; of a RetortError the fault tells everything.
      if (fault.code === 'INTERNAL') process.stderr.write(`${(error as Error)?.stack ?? error}\n`);
      say({ ok: false, fault });
    }
  });
}

/** Nobody is left to be answered, or to clear up. */
function leave(): never {
  const folder = process.env[SCRATCH];
  if (folder) rmSync(folder, { recursive: true, force: true });
  process.exit(0);
}

/** What the system says where there is no more room. */
function limitMet(error: unknown): RetortError | undefined {
  const code = (error as NodeJS.ErrnoException | undefined)?.code;
  const hint = 'Send a smaller file.';
  if (code === 'EFBIG') {
    return new RetortError('SANDBOX_LIMIT', 'the file needs more room on disk than is allowed', { hint });
  }
  if (error instanceof RangeError && /allocation failed/.test(error.message)) {
    return new RetortError('SANDBOX_LIMIT', 'the file needs an array larger than this machine can hold', {
      hint,
    });
  }
  if (code !== 'ENOSPC') return undefined;
  return new RetortError('STORE_FULL', 'there is no room left on the disk', { hint: 'Try again later.' });
}

function bounded(said: Said): Said {
  const size = JSON.stringify(said).length;
  if (size <= LONGEST) return said;
  const error = new RetortError(
    'SANDBOX_LIMIT',
    `the description of the file has ${size} characters; ${LONGEST} are passed on`,
    { hint: 'Use fewer inputs, outputs, columns or classes, or shorter names.' },
  );
  return { ok: false, fault: faultOf(error) };
}
