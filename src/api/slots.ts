import { RetortError } from '../errors.ts';

/** Something that is under way, such as an upload that is being received. */
export interface Slot {
  /** Bytes still to come, as far as the client has said. */
  pending(): number;
  release(): void;
}

/** Counts what is under way, for each owner, and what it will still write. */
export class Slots {
  readonly #what: string;
  readonly #open = new Map<string, Set<Slot>>();

  /** @param what is counted, in the plural */
  constructor(what: string) {
    this.#what = what;
  }

  /** @param most at the same time, for this owner */
  admit(owner: string, most: number, pending: () => number = () => 0): Slot {
    const open = this.#open.get(owner) ?? new Set();
    if (open.size >= most) {
      throw new RetortError(
        'RATE_LIMITED',
        `${open.size} ${this.#what} are running already; ${most} are allowed`,
        {
          hint: 'Wait until one of them is done.',
        },
      );
    }
    const slot: Slot = {
      pending,
      release: () => {
        open.delete(slot);
        if (open.size === 0) this.#open.delete(owner);
      },
    };
    this.#open.set(owner, open.add(slot));
    return slot;
  }

  /** Bytes that all of them together have announced and not yet sent. */
  pending(): number {
    const slots = [...this.#open.values()].flatMap((open) => [...open]);
    return slots.reduce((sum, slot) => sum + Math.max(0, slot.pending()), 0);
  }
}
