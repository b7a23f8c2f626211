import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { text } from 'node:stream/consumers';

/** The steps, counted from 1, whose losses are compared. */
export const COMPARED = [1, 10, 50] as const;

/** What a contender says once it has made its first steps from the shared start. */
export interface Ready {
  /** Losses of the compared steps, each before its update. */
  readonly losses: readonly number[];
  readonly parameters: number;
  readonly engine: string;
}

/** What it says after a round of training. */
export interface Round {
  readonly steps: number;
  readonly seconds: number;
  /** Processor time of all its threads; where other work runs beside, this says more than the time that passed. */
  readonly cpuSeconds: number;
  /** Share of the time outside its engine; null where nothing tells them apart. */
  readonly outside: number | null;
  /** Largest resident memory of its process so far. */
  readonly peakMiB: number;
}

export interface Contender {
  readonly ready: Ready;
  round(seconds: number): Promise<Round>;
  close(): Promise<void>;
}

/**
 * Starts a process that trains: it makes its first steps, then a round for every line with a number of seconds, and
 * answers each with one JSON line. Between rounds it sleeps, so contenders can take turns on the same cores.
 */
export async function startContender(command: string, args: readonly string[]): Promise<Contender> {
  const child = spawn(command, args, { stdio: ['pipe', 'pipe', 'pipe'] });
  const complaints = text(child.stderr);
  const ended = new Promise<void>((resolve) => child.once('close', () => resolve()));
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const failed = new Promise<never>((_, reject) => child.once('error', reject));
  // Raced below; a failure nobody waits for any more is no news.
  failed.catch(() => {});
  const answer = async <T>(): Promise<T> => {
    const { value, done } = await Promise.race([lines.next(), failed]);
    if (!done) return JSON.parse(value) as T;
    throw new Error((await complaints).trim().split('\n').at(-1) || 'it ended without a word');
  };
  const close = async (): Promise<void> => {
    child.stdin.end();
    await ended;
  };
  try {
    return {
      ready: await answer<Ready>(),
      round: (seconds) => {
        child.stdin.write(`${seconds}\n`);
        return answer<Round>();
      },
      close,
    };
  } catch (error) {
    await close();
    throw error;
  }
}
