import type { Spent } from './method-result.ts';
import type { RunMessage } from './run-child.ts';

/** The stages that are the method's own: what makes its rows, what chooses it, and what trains the student. */
const OWN = ['recover', 'choose', 'train'];

/** Adds up what a run takes over its processes and attempts, by their messages. */
export class SpentClock {
  readonly #before: Spent;
  readonly #begun = performance.now();
  #train = 0;
  #cpu = 0;
  /** The stage in work: when it began, and the processor time by then and by now. */
  #open: { readonly begun: number; readonly cpu: number; last: number } | undefined;

  constructor(before: Spent) {
    this.#before = before;
  }

  see(message: RunMessage): void {
    if (this.#open) this.#open.last = message.cpu;
    if (message.kind !== 'stage' || !OWN.includes(message.stage)) return;
    if (message.state !== 'started') this.leave();
    else this.#open = { begun: performance.now(), cpu: message.cpu, last: message.cpu };
  }

  /** The process has ended. */
  leave(): void {
    if (!this.#open) return;
    this.#train += (performance.now() - this.#open.begun) / 1000;
    this.#cpu += this.#open.last - this.#open.cpu;
    this.#open = undefined;
  }

  spent(): Spent {
    const now = performance.now();
    const open = this.#open;
    return {
      train: this.#before.train + this.#train + (open ? (now - open.begun) / 1000 : 0),
      cpu: this.#before.cpu + this.#cpu + (open ? open.last - open.cpu : 0),
      all: this.#before.all + (now - this.#begun) / 1000,
    };
  }
}
