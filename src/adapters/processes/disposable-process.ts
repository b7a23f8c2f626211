import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import type { Socket } from 'node:net';
import { join } from 'node:path';
import { RetortError } from '../../errors.ts';
import type { Fault } from '../../service/fault.ts';
import { type Asked, type Said, SCRATCH } from './answer-request.ts';
import { type Ceilings, limitedCommand } from './limited-command.ts';
import { residentMemory } from './resident-memory.ts';

export interface ProcessOptions {
  /** The module it runs, which calls `answerRequest`. */
  readonly entry: URL;
  /** All of its environment. */
  readonly environment: Readonly<Record<string, string>>;
  /** Folder in which its working folder is made. */
  readonly scratch: string;
  readonly ceilings: Ceilings;
}

export interface RequestLimits {
  /** From the request on, by the clock. */
  readonly seconds: number;
  /** Resident memory, bytes. */
  readonly memoryBytes: number;
  readonly signal?: AbortSignal;
}

/** How a request ended. */
export type Outcome =
  | { readonly kind: 'value'; readonly value: unknown }
  | { readonly kind: 'fault'; readonly fault: Fault; readonly said: string }
  | { readonly kind: 'limit'; readonly limit: 'time' | 'memory' | 'cpu' | 'disk' }
  | { readonly kind: 'aborted' }
  | {
      readonly kind: 'died';
      readonly signal: NodeJS.Signals | null;
      readonly code: number | null;
      /** The last thing it said it was doing. */
      readonly note: string | undefined;
      /** The end of what it wrote to stderr. */
      readonly said: string;
    };

/** How often its memory is looked at, milliseconds. What it allocates in between is beyond the limit. */
const LOOK_EVERY = 50;
const STDERR_KEPT = 8192;

/** A fresh Node process for one request, in an empty folder of its own; killed after it, whatever it answered. */
export class DisposableProcess {
  /** Settles when the process and its folder are gone. */
  readonly gone: Promise<void>;
  readonly #child: ChildProcess;
  #alive = true;
  #said = '';
  #note: string | undefined;
  #end: (outcome: Outcome) => void = () => {};

  private constructor(child: ChildProcess, folder: string) {
    this.#child = child;
    child.stderr?.setEncoding('utf8').on('data', (text: string) => {
      this.#said = (this.#said + text).slice(-STDERR_KEPT);
    });
    child.on('message', (said) => this.#hear(said as Said));
    this.gone = new Promise<void>((resolve) => {
      const end = (code: number | null, signal: NodeJS.Signals | null): void => {
        this.#alive = false;
        this.#end(this.#died(code, signal));
        resolve();
      };
      child.once('close', end);
      child.on('error', (error) => {
        this.#said += error.message;
      });
    }).then(() => rm(folder, { recursive: true, force: true }));
    // A waiting spare keeps nobody alive; whoever asks has a timer.
    child.unref();
    child.channel?.unref();
    (child.stderr as Socket | null)?.unref();
  }

  /** Leaves nothing behind where the system has no room for another process. */
  static async start({ entry, environment, scratch, ceilings }: ProcessOptions): Promise<DisposableProcess> {
    const folder = await mkdtemp(join(scratch, 'retort-process-'));
    try {
      const [command, ...args] = limitedCommand(entry, ceilings);
      const child = spawn(command, args, {
        cwd: folder,
        env: { ...environment, [SCRATCH]: folder },
        stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
        // A group of its own, so that what it starts is killed with it, and Ctrl-C goes to the parent alone.
        detached: true,
      });
      // Without file descriptors left a child has neither streams nor a channel, only an 'error' to come.
      const spawned = once(child, 'spawn');
      const started = new DisposableProcess(child, folder);
      await spawned;
      return started;
    } catch (error) {
      await rm(folder, { recursive: true, force: true });
      const { code } = error as NodeJS.ErrnoException;
      throw new RetortError('RUNTIME_UNAVAILABLE', `no process can be started to open files in (${code})`, {
        hint: 'Try again later. The service may need more memory, processes or file descriptors.',
        cause: error,
      });
    }
  }

  get alive(): boolean {
    return this.#alive;
  }

  get pid(): number | undefined {
    return this.#child.pid;
  }

  /** Asks the one thing it is there for. */
  async ask(request: unknown, { seconds, memoryBytes, signal }: RequestLimits): Promise<Outcome> {
    const aborted = (): void => this.#end({ kind: 'aborted' });
    let timer: NodeJS.Timeout | undefined;
    let looking: NodeJS.Timeout | undefined;
    try {
      return await new Promise<Outcome>((resolve) => {
        this.#end = resolve;
        if (signal?.aborted) return aborted();
        if (!this.#alive) return resolve(this.#died(this.#child.exitCode, this.#child.signalCode));
        signal?.addEventListener('abort', aborted);
        timer = setTimeout(resolve, 1000 * seconds, { kind: 'limit', limit: 'time' });
        looking = setInterval(async () => {
          const bytes = await residentMemory(this.#child.pid!);
          if (bytes !== undefined && bytes > memoryBytes) resolve({ kind: 'limit', limit: 'memory' });
        }, LOOK_EVERY);
        // A channel that is closed already is told by the end of the process.
        this.#child.send({ request } satisfies Asked, () => {});
      });
    } finally {
      clearTimeout(timer);
      clearInterval(looking);
      signal?.removeEventListener('abort', aborted);
      this.kill();
    }
  }

  /** Ends it and what it started, at once. */
  kill(): void {
    const { pid } = this.#child;
    if (pid === undefined || !this.#alive) return;
    // Unless there is another outcome already.
    this.#end({ kind: 'aborted' });
    // Whoever waits for its end waits with a living event loop.
    this.#child.ref();
    (this.#child.stderr as Socket | null)?.ref();
    try {
      process.kill(process.platform === 'win32' ? pid : -pid, 'SIGKILL');
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
    }
  }

  #hear(said: Said): void {
    if ('note' in said) this.#note = said.note;
    else if (said.ok) this.#end({ kind: 'value', value: said.value });
    else this.#end({ kind: 'fault', fault: said.fault, said: this.#said });
  }

  #died(code: number | null, signal: NodeJS.Signals | null): Outcome {
    if (signal === 'SIGXCPU') return { kind: 'limit', limit: 'cpu' };
    if (signal === 'SIGXFSZ') return { kind: 'limit', limit: 'disk' };
    // V8 says so and aborts.
    if (/heap out of memory/.test(this.#said)) return { kind: 'limit', limit: 'memory' };
    return { kind: 'died', signal, code, note: this.#note, said: this.#said };
  }
}
