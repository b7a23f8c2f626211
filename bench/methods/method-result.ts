import { mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

/** One method on one seed, as its file keeps it. */
export interface MethodResult {
  readonly method: string;
  readonly seed: number;
  /** The spec it was made by: where that has changed, the result is an old one. */
  readonly spec: object;
  readonly outcome: Outcome | Failure;
  /** Commit, machine and day. */
  readonly tree: string;
  readonly machine: string;
  readonly day: string;
}

export interface Outcome {
  /** Shares of the test rows. */
  readonly accuracy: number;
  readonly agreement: number;
  readonly teacher: number;
  /** Share of the validation rows, of the snapshot that was taken. */
  readonly validation: number | null;
  readonly spent: Spent;
  /** Largest resident memory of the process that trained. */
  readonly peakMiB: number;
  readonly engine: string;
  /** What `method: "auto"` has chosen. */
  readonly chosen?: string;
}

export interface Failure {
  readonly error: string;
}

/** Seconds, over all attempts. */
export interface Spent {
  /** Of the stages choose and train, and of the processor in them. */
  readonly train: number;
  readonly cpu: number;
  /** Of everything, the share of a teacher's work included where this run did it. */
  readonly all: number;
}

export const isOutcome = (outcome: MethodResult['outcome']): outcome is Outcome => 'accuracy' in outcome;

/** Files of one setting, one per method and seed. */
export class ResultFiles {
  readonly #folder: string;

  constructor(folder: string) {
    this.#folder = folder;
  }

  /** The result, if there is one and it was made by this very spec. */
  async find(method: string, seed: number, spec: object): Promise<MethodResult | undefined> {
    const found = await this.#read<MethodResult>(`${method}-${seed}.json`);
    return found && JSON.stringify(found.spec) === JSON.stringify(spec) ? found : undefined;
  }

  keep(result: MethodResult): Promise<void> {
    return this.#write(`${result.method}-${result.seed}.json`, result);
  }

  /** What earlier, interrupted attempts at this very spec have spent. */
  async spent(method: string, seed: number, spec: object): Promise<Spent> {
    const found = await this.#read<{ spec: object; spent: Spent }>(`${method}-${seed}.spent.json`);
    const isSame = found && JSON.stringify(found.spec) === JSON.stringify(spec);
    return isSame ? found.spent : { train: 0, cpu: 0, all: 0 };
  }

  keepSpent(method: string, seed: number, spec: object, spent: Spent): Promise<void> {
    return this.#write(`${method}-${seed}.spent.json`, { spec, spent });
  }

  async #read<T>(name: string): Promise<T | undefined> {
    try {
      return JSON.parse(await readFile(join(this.#folder, name), 'utf8')) as T;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
      throw error;
    }
  }

  /** Whole or not at all: the bench may be killed at any time. */
  async #write(name: string, value: unknown): Promise<void> {
    await mkdir(this.#folder, { recursive: true });
    const path = join(this.#folder, name);
    await writeFile(`${path}.part`, `${JSON.stringify(value, null, 2)}\n`);
    await rename(`${path}.part`, path);
  }
}
