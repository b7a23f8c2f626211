import type { StageContext } from '../stage.ts';

type Report = StageContext['progress'];

/**
 * Progress of trainings one after the other as one that only rises. Each counts by its weight, also one that was found
 * done, has stopped early or failed.
 */
export class TrialProgress {
  readonly #report: Report;
  readonly #total: number;
  /** Weight of those begun. */
  #begun = 0;
  #last: { readonly done: number; readonly name: string } | undefined;

  constructor(report: Report, total: number) {
    this.#report = report;
    this.#total = total;
  }

  /** For the training that begins now. */
  next(weight: number, name: string): Report {
    const before = this.#begun;
    this.#begun += weight;
    return (steps, of) => this.#say(Math.min(this.#total, before + (weight * steps) / of), name);
  }

  /** All are done; says so unless the last one has. */
  end(): void {
    if (this.#last && this.#last.done < this.#total) this.#say(this.#total, this.#last.name);
  }

  #say(done: number, name: string): void {
    this.#last = { done, name };
    this.#report(done, this.#total, name);
  }
}
