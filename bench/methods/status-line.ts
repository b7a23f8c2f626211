import type { Method } from './methods.ts';

interface Ended {
  readonly method: Method;
  readonly seconds: number;
}

/** What runs, how far it is and how long all the rest may take, on standard error. */
export class StatusLine {
  readonly #left: Method[];
  readonly #ended: Ended[];
  readonly #total: number;
  #current: { readonly method: Method; readonly seed: number; readonly begun: number } | undefined;
  #said = 0;

  /** `ended` are runs of earlier calls, for their pace. */
  constructor(left: readonly Method[], ended: readonly Ended[]) {
    this.#left = [...left];
    this.#total = left.length;
    this.#ended = [...ended];
  }

  begin(method: Method, seed: number): void {
    this.#current = { method, seed, begun: performance.now() };
    this.#left.shift();
    this.#said = 0;
  }

  progress(stage: string, done: number, total: number): void {
    if (!this.#current) return;
    const now = performance.now();
    // A terminal is told twice a second, a file once a minute.
    if (now - this.#said < (process.stderr.isTTY ? 500 : 60_000)) return;
    this.#said = now;
    const { method, seed } = this.#current;
    const share = total > 0 ? Math.floor((100 * done) / total) : 0;
    const text = `[${this.#total - this.#left.length}/${this.#total}] ${method.name}, seed ${seed}: ${stage} ${share} %; ${this.#rest()}`;
    process.stderr.write(process.stderr.isTTY ? `\r\x1b[2K${text}` : `${text}\n`);
  }

  end(seconds: number | undefined): void {
    if (seconds !== undefined && this.#current) this.#ended.push({ method: this.#current.method, seconds });
    this.#current = undefined;
    if (process.stderr.isTTY) process.stderr.write('\r\x1b[2K');
  }

  #rest(): string {
    const { method, begun } = this.#current!;
    const left = leftSeconds(this.#ended, [method, ...this.#left]);
    if (left === undefined) return 'time left unknown until a run has ended';
    const minutes = Math.max(0, left - (performance.now() - begun) / 1000) / 60;
    return `about ${minutes < 90 ? `${Math.ceil(minutes)} min` : `${(minutes / 60).toFixed(1)} h`} left in all`;
  }
}

/** Seconds that methods will take, by the pace of those that have ended; undefined before any has. */
export function leftSeconds(ended: readonly Ended[], left: readonly Method[]): number | undefined {
  const lengthOf = (all: readonly Method[]) => all.reduce((sum, { length = 1 }) => sum + length, 0);
  const spent = ended.reduce((sum, { seconds }) => sum + seconds, 0);
  const behind = lengthOf(ended.map(({ method }) => method));
  return behind === 0 ? undefined : (spent / behind) * lengthOf(left);
}
