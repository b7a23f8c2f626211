import { randomUUID } from 'node:crypto';
import { RetortError } from '../errors.ts';
import type { Clock, JobStore, StoredRecord } from '../pipeline/ports.ts';
import { unlessConflict } from './unless-conflict.ts';

export interface LeaseTools {
  readonly jobs: JobStore;
  readonly clock: Clock;
}

interface Held {
  readonly holder: string;
  /** Milliseconds since 1970. */
  readonly until: number;
}

/**
 * The right to do something that one process at a time should do: the record `lease/<name>`, taken by compare-and-set
 * and free again after `holdMs`, should its holder die. It saves double work; it is no fence, for the clocks of two
 * machines differ and a process may sleep past its time, so what is done under it must also be safe when done twice.
 */
export class Lease {
  readonly #tools: LeaseTools;
  readonly #holdMs: number;
  #record: StoredRecord;

  private constructor(record: StoredRecord, holdMs: number, tools: LeaseTools) {
    this.#record = record;
    this.#holdMs = holdMs;
    this.#tools = tools;
  }

  /** Undefined: another process holds it. */
  static async acquire(name: string, holdMs: number, tools: LeaseTools): Promise<Lease | undefined> {
    const { jobs, clock } = tools;
    const id = `lease/${name}`;
    const now = clock.now();
    const found = await jobs.get(id);
    if (found && (found.value as Held).until > now) return undefined;
    const value: Held = { holder: randomUUID(), until: now + holdMs };
    const record = { id, revision: found?.revision ?? 0, state: 'held', value };
    const written = await jobs.put(record).catch(unlessConflict);
    return written && new Lease(written, holdMs, tools);
  }

  /** To be called often during long work: renews the lease when half its time is over. STORE_CONFLICT: it is lost. */
  async keep(): Promise<void> {
    const { jobs, clock } = this.#tools;
    const now = clock.now();
    const held = this.#record.value as Held;
    if (held.until - now > this.#holdMs / 2) return;
    const value: Held = { ...held, until: now + this.#holdMs };
    const written = await jobs.put({ ...this.#record, value }).catch(unlessConflict);
    if (!written) {
      throw new RetortError('STORE_CONFLICT', `${this.#record.id} has passed to another process`, {
        hint: 'This one was too slow; the other goes on with the work.',
      });
    }
    this.#record = written;
  }

  /** Frees it, unless another process has it by now. */
  async release(): Promise<void> {
    const value: Held = { ...(this.#record.value as Held), until: 0 };
    await this.#tools.jobs.put({ ...this.#record, state: 'free', value }).catch(unlessConflict);
  }
}
