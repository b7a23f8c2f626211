import { RetortError } from '../errors.ts';
import type { Reject } from './format.ts';

/** What was left out and why; the list is cut, the counts are not. */
export interface RejectReport {
  readonly count: number;
  readonly byReason: Readonly<Record<string, number>>;
  readonly listed: readonly Reject[];
}

const kept = 100;
const reasonsKept = 50;

export class Rejects {
  count = 0;
  readonly #byReason = new Map<string, number>();
  readonly #listed: Reject[] = [];

  readonly add = (reject: Reject): void => {
    this.count++;
    if (this.#listed.length < kept) this.#listed.push(reject);
    const known = this.#byReason.has(reject.reason) || this.#byReason.size < reasonsKept;
    const reason = known ? reject.reason : 'other';
    this.#byReason.set(reason, (this.#byReason.get(reason) ?? 0) + 1);
  };

  report(): RejectReport {
    const byReason = Object.fromEntries([...this.#byReason].sort((a, b) => b[1] - a[1]));
    return { count: this.count, byReason, listed: this.#listed };
  }

  /** DATA_REJECTS when more than the share `limit` of all records was rejected, or every one; `format` in words. */
  check(name: string, rows: number, limit: number, format: string): void {
    const all = rows + this.count;
    if (all === 0 || (rows > 0 && this.count <= limit * all)) return;
    const share = ((100 * this.count) / all).toFixed(1);
    const reasons = Object.entries(this.report().byReason).slice(0, 5);
    throw new RetortError(
      'DATA_REJECTS',
      `${name}: ${this.count} of ${all} records (${share} %) were rejected`,
      {
        hint:
          rows === 0
            ? `None is left: mend what the reasons name. It was read as: ${format}.`
            : `Mend them, or raise data.maxRejects above ${(this.count / all).toFixed(3)}.`,
        problems: [
          ...reasons.map(([reason, count]) => `${count} x ${reason}`),
          ...this.#listed.slice(0, 5).map(({ source, reason }) => `${source}: ${reason}`),
        ],
        facts: { rejected: this.count, records: all, limit },
      },
    );
  }
}
