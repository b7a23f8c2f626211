import { rmSync } from 'node:fs';
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

/** Largest answer, characters of JSON: the parent has to hold it. */
const LONGEST = 64 * 2 ** 20;

/**
 * The other side of a DisposableProcess: waits for the one request, answers it, and waits to be killed. `note` tells the
 * parent what is being done, for the case that it is the last thing heard.
 */
export function answerRequest<T>(
  handle: (request: T, note: (text: string) => void) => Promise<unknown>,
): void {
  process.on('disconnect', () => {
    const folder = process.env[SCRATCH];
    if (folder) rmSync(folder, { recursive: true, force: true });
    process.exit(0);
  });
  const say = (said: Said): void => void process.send?.(said);
  process.once('message', async (asked: Asked) => {
    try {
      const value = await handle(asked.request as T, (note) => say({ note }));
      say(bounded({ ok: true, value }));
    } catch (error) {
      // For the parent's log; a RetortError tells everything in its fault.
      const fault = faultOf(error);
      if (fault.code === 'INTERNAL') process.stderr.write(`${(error as Error)?.stack ?? error}\n`);
      say({ ok: false, fault });
    }
  });
}

function bounded(said: Said): Said {
  const size = JSON.stringify(said).length;
  if (size <= LONGEST) return said;
  return {
    ok: false,
    fault: {
      code: 'SANDBOX_LIMIT',
      message: `the description of the file has ${size} characters, more than the ${LONGEST} that are passed on`,
      hint: 'Use fewer classes, or shorter names.',
      problems: [],
      facts: { characters: size, most: LONGEST },
    },
  };
}
