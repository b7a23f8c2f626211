import { mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { MethodResult, Spent } from './method-result.ts';

/** What is kept of one setting: its results in one file, a line each, and in a folder what runs that are not finished have spent. */
export class ResultFiles {
  readonly #results: string;
  readonly #unfinished: string;

  constructor(results: string, unfinished: string) {
    this.#results = results;
    this.#unfinished = unfinished;
  }

  /** The result, if there is one and it was made by this very spec. */
  async find(method: string, seed: number, spec: object): Promise<MethodResult | undefined> {
    const found = (await this.#all()).find((each) => each.method === method && each.seed === seed);
    return found && isSame(found, spec) ? found : undefined;
  }

  /** Takes the place of an earlier one of the same method and seed. */
  async keep(result: MethodResult): Promise<void> {
    const others = (await this.#all()).filter(
      ({ method, seed }) => method !== result.method || seed !== result.seed,
    );
    const byName = (a: MethodResult, b: MethodResult): number =>
      a.method < b.method ? -1 : a.method > b.method ? 1 : a.seed - b.seed;
    const lines = [...others, result].sort(byName).map((each) => `${JSON.stringify(each)}\n`);
    await write(this.#results, lines.join(''));
  }

  /** What earlier, interrupted attempts at this very spec have spent. */
  async spent(method: string, seed: number, spec: object): Promise<Spent> {
    const text = await read(this.#spentFile(method, seed));
    const found = text === undefined ? undefined : (JSON.parse(text) as { spec: object; spent: Spent });
    return found && isSame(found, spec) ? found.spent : { train: 0, cpu: 0, all: 0 };
  }

  keepSpent(method: string, seed: number, spec: object, spent: Spent): Promise<void> {
    return write(this.#spentFile(method, seed), `${JSON.stringify({ spec, spent })}\n`);
  }

  #spentFile(method: string, seed: number): string {
    return join(this.#unfinished, `${method}-${seed}.spent.json`);
  }

  async #all(): Promise<readonly MethodResult[]> {
    const lines = (await read(this.#results))?.split('\n').filter(Boolean) ?? [];
    return lines.map((line) => JSON.parse(line) as MethodResult);
  }
}

const isSame = (found: { readonly spec: object }, spec: object): boolean =>
  JSON.stringify(found.spec) === JSON.stringify(spec);

async function read(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}

/** Whole or not at all: the bench may be killed at any time. */
async function write(path: string, text: string): Promise<void> {
  await mkdir(dirname(path), { recursive: true });
  await writeFile(`${path}.part`, text);
  await rename(`${path}.part`, path);
}
