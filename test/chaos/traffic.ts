import { setTimeout as sleep } from 'node:timers/promises';
import { concat } from '../../src/adapters/storage/concat.ts';
import type { Distillation } from '../../src/contract/distillation.ts';
import type { Random } from '../../src/core/random.ts';
import { tinyPictures, tinySpec, tinyTeacher } from '../support/tiny-job.ts';
import type { Ledger } from './ledger.ts';

/** Users: they create jobs, cancel some, and follow some over connections that drop. */
export class Traffic {
  readonly #url: string;
  readonly #ledger: Ledger;
  readonly #random: Random;
  readonly #files: Promise<readonly (readonly [field: string, name: string, data: Uint8Array])[]>;
  readonly followers: Promise<void>[] = [];
  /** Requests that were not accepted: the service may refuse, it may not forget. */
  refused = 0;
  #made = 0;

  constructor(url: string, ledger: Ledger, random: Random) {
    this.#url = url;
    this.#ledger = ledger;
    this.#random = random;
    this.#files = Promise.all(
      tinyPictures(160, 40).map(async (file) => ['dataset', file.name, await concat(file.stream())] as const),
    ).then((data) => [['teacher', 'teacher.onnx', tinyTeacher()] as const, ...data]);
  }

  /** Creates one job. Seeds differ, so that every job trains; some are long enough to be hurt in the middle. */
  async create(epochs: number): Promise<string | undefined> {
    const seed = this.#made++;
    const spec = tinySpec({ seed, controls: false, train: { epochs, batchSize: 16, checkpointEvery: 500 } });
    const form = new FormData();
    form.append('spec', JSON.stringify(spec));
    for (const [field, name, data] of await this.#files)
      form.append(field, new Blob([data as Uint8Array<ArrayBuffer>]), name);
    try {
      const response = await fetch(`${this.#url}/v1/distillations`, {
        method: 'POST',
        body: form,
        signal: AbortSignal.timeout(30_000),
      });
      if (response.status !== 202) throw new Error(`${response.status}`);
      const { id } = (await response.json()) as Distillation;
      this.#ledger.accept(id);
      return id;
    } catch {
      this.refused++;
      return undefined;
    }
  }

  /** Creates, follows and cancels at random until the signal. */
  async run(stop: AbortSignal, everyMs: number): Promise<void> {
    while (!stop.aborted) {
      const epochs = [2, 2, 20, 200][this.#random.int(4)]!;
      const id = await this.create(epochs);
      if (id !== undefined && this.#random.int(2) === 0)
        this.followers.push(this.#ledger.follow(id, 1000 + this.#random.int(5000)));
      if (id !== undefined && this.#random.int(6) === 0) void this.#cancelLater(id);
      await sleep(this.#random.int(2 * everyMs), undefined, { signal: stop }).catch(() => {});
    }
  }

  async #cancelLater(id: string): Promise<void> {
    await sleep(this.#random.int(8000));
    // Told before it is asked: where the answer is lost on the way, the job may be cancelled all the same.
    this.#ledger.cancelled.add(id);
    await fetch(`${this.#url}/v1/distillations/${id}/cancel`, { method: 'POST' }).catch(() => {});
  }
}
