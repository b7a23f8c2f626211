import type { JobStore } from '../../pipeline/ports.ts';
import { unlessConflict } from '../unless-conflict.ts';

/** Its name is none that `hashesIn` is shown: what is noted here keeps nothing alive. */
export const UNREFERENCED = 'sweep/unreferenced';

/** More are noted by later sweeps; keeps the record under some 10 MB. */
const MAX_NOTED = 100_000;

/** Since when (milliseconds since 1970) each blob that no record names has been seen so, sweep after sweep. */
export class Unreferenced {
  readonly #before: ReadonlyMap<string, number>;
  readonly #revision: number;
  readonly #noted = new Map<string, number>();

  private constructor(before: ReadonlyMap<string, number>, revision: number) {
    this.#before = before;
    this.#revision = revision;
  }

  static async load(jobs: JobStore): Promise<Unreferenced> {
    const record = await jobs.get(UNREFERENCED);
    const since = (record?.value as { readonly since: Record<string, number> } | undefined)?.since ?? {};
    return new Unreferenced(new Map(Object.entries(since)), record?.revision ?? 0);
  }

  /** Since when, this sweep included. */
  since(hash: string, now: number): number {
    return this.#before.get(hash) ?? now;
  }

  /** Remembers a blob for the next sweep; one that is not noted again starts anew. */
  note(hash: string, now: number): void {
    if (this.#noted.size < MAX_NOTED) this.#noted.set(hash, this.since(hash, now));
  }

  /** Where another sweep has saved in between, its notes stay. */
  async save(jobs: JobStore): Promise<void> {
    const value = { since: Object.fromEntries(this.#noted) };
    const record = { id: UNREFERENCED, revision: this.#revision, state: 'noted', value };
    await jobs.put(record).catch(unlessConflict);
  }
}
