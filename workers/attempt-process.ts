import { type ChildProcess, spawn } from 'node:child_process';
import { constants, getPriority, setPriority } from 'node:os';
import { fileURLToPath } from 'node:url';
import type { Ending } from '../src/service/jobs/transitions.ts';
import type { Assignment, ChildMessage } from './messages.ts';

const entry = fileURLToPath(new URL('./attempt-child.ts', import.meta.url));
/** A cancelled job needs no checkpoint, but one in the middle of a write may finish it (P6: 3 s in all). */
export const CANCEL_GRACE_MS = 1500;
const STDERR_BYTES = 4096;
/** Below the API and the supervisor on the same cores, which answer and renew locks. */
const PRIORITY = constants.priority.PRIORITY_BELOW_NORMAL;

export interface AttemptProcessOptions {
  readonly assignment: Assignment;
  /** All that it sees of the environment: the untrusted models it opens are no place for secrets. */
  readonly environment: Readonly<Record<string, string>>;
  /** Silence after which the process counts as hung. */
  readonly hangMs: number;
  /** Everything but the endings, in order. */
  readonly onMessage: (message: ChildMessage) => void;
  readonly entry?: string;
}

/** The child of one attempt: started, watched, stopped. */
export class AttemptProcess {
  /** How it came to its end; never rejects. */
  readonly ended: Promise<Ending>;
  readonly #child: ChildProcess;
  readonly #options: AttemptProcessOptions;
  #watchdog: NodeJS.Timeout | undefined;
  #killer: { readonly at: number; readonly timer: NodeJS.Timeout } | undefined;
  #killedFor: string | undefined;
  #over = false;
  #answer: Ending | undefined;
  /** Where the fault was not one of ours: for the log. */
  stack: string | undefined;
  #stderr = '';

  constructor(options: AttemptProcessOptions) {
    this.#options = options;
    const args = ['--import', import.meta.resolve('tsx'), options.entry ?? entry];
    this.#child = spawn(process.execPath, args, {
      stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
      env: options.environment,
    });
    lowerPriority(this.#child.pid);
    this.ended = this.#watch();
    this.#child.send(options.assignment, () => {});
  }

  get pid(): number | undefined {
    return this.#child.pid;
  }

  /** Asks it to stop at a checkpoint; kills it when it has not after `graceMs`. The shortest time asked for counts. */
  stop(graceMs: number): void {
    if (this.#over) return;
    const at = Date.now() + graceMs;
    if (this.#killer && this.#killer.at <= at) return;
    if (!this.#killer) this.#child.kill('SIGTERM');
    clearTimeout(this.#killer?.timer);
    this.#killer = { at, timer: setTimeout(() => this.kill('it did not stop in time'), graceMs) };
  }

  kill(why: string): void {
    this.#killedFor ??= why;
    this.#child.kill('SIGKILL');
  }

  #watch(): Promise<Ending> {
    const child = this.#child;
    const { hangMs } = this.#options;
    this.#watchdog = setTimeout(() => this.kill(`no sign of life for ${hangMs / 1000} s`), hangMs);
    child.on('message', (message: ChildMessage) => {
      this.#watchdog?.refresh();
      this.#hear(message);
    });
    child.stderr?.on('data', (chunk: Buffer) => {
      this.#stderr = (this.#stderr + chunk.toString()).slice(-STDERR_BYTES);
    });
    return new Promise((resolve) => {
      const done = (detail: string): void => {
        this.#over = true;
        clearTimeout(this.#watchdog);
        clearTimeout(this.#killer?.timer);
        resolve(this.#answer ?? { kind: 'crashed', detail: this.#killedFor ?? detail });
      };
      child.once('error', (error) => done(error.message));
      child.once('close', (code, signal) => {
        // Told to stop before it could listen: it did, and had nothing to save.
        if (signal === 'SIGTERM' && this.#killer) this.#answer ??= { kind: 'stopped' };
        done([signal ?? `exit code ${code}`, this.#stderr.trim()].filter(Boolean).join(': '));
      });
    });
  }

  #hear(message: ChildMessage): void {
    switch (message.kind) {
      case 'succeeded':
      case 'stopped':
        this.#answer = message;
        break;
      case 'failed': {
        const { stack, ...failed } = message;
        this.#answer = failed;
        this.stack = stack;
        break;
      }
      default:
        this.#options.onMessage(message);
    }
  }
}

/** Where it cannot be lowered (this process stands lower already), it stays as it is. */
function lowerPriority(pid: number | undefined): void {
  if (pid === undefined || getPriority() >= PRIORITY) return;
  try {
    setPriority(pid, PRIORITY);
  } catch (error) {
    // ESRCH: it has ended already, which its listeners tell.
    if (!['EACCES', 'EPERM', 'ESRCH'].includes((error as SystemError).info?.code ?? '')) throw error;
  }
}

interface SystemError extends Error {
  readonly info?: { readonly code: string };
}
