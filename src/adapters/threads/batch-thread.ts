// The other side of WorkerBatches: opens the records it is told of and makes batches of them until it is ended.
import { parentPort, workerData } from 'node:worker_threads';
import { type Batch, BatchMaker } from '../../data/batch.ts';
import { ingredientsOf } from '../../data/batch-recipe.ts';
import { ColumnReader } from '../../data/column-reader.ts';
import { invariant } from '../../errors.ts';
import { faultOf } from '../../service/fault.ts';
import { fileSource } from '../files/file-source.ts';
import type { Answer, Failure, Request, Task } from './messages.ts';

const say = (answer: Answer, transferred: readonly ArrayBuffer[] = []): void =>
  parentPort!.postMessage(answer, [...transferred]);

try {
  const maker = await open(workerData as Task);
  // One after another, so that they stand in the order in which they are wanted.
  let last = Promise.resolve();
  parentPort!.on('message', (request: Request) => {
    last = last.then(() => answer(maker, request));
  });
  say({ kind: 'ready' });
} catch (error) {
  say({ kind: 'unready', ...failureOf(error) });
}

async function answer(maker: BatchMaker, { id, rows, epoch }: Request): Promise<void> {
  try {
    const batch = await maker.assemble(rows, epoch);
    say({ kind: 'batch', id, batch }, buffersOf(batch));
  } catch (error) {
    say({ kind: 'failed', id, ...failureOf(error) });
  }
}

async function open({ recipe, columns }: Task): Promise<BatchMaker> {
  const readers = new Map<string, ColumnReader>();
  for (const { path, ...data } of columns) {
    readers.set(data.name, new ColumnReader(data, await fileSource(path, data.file)));
  }
  const { dataset, plan } = ingredientsOf(recipe, {
    async read(name, rows) {
      const reader = readers.get(name);
      invariant(reader, `the thread was not told of the column ${name}`);
      return reader.read(rows);
    },
    async close() {
      for (const reader of readers.values()) await reader.close();
    },
  });
  return new BatchMaker(dataset, plan);
}

function failureOf(error: unknown): Failure {
  return { fault: faultOf(error), stack: error instanceof Error ? `${error.stack}` : String(error) };
}

/** Fresh arrays, which nobody here reads again. */
function buffersOf({ inputs, labels }: Batch): ArrayBuffer[] {
  const lists = [...Object.values(inputs).map(({ data }) => data), labels];
  return lists.map((data) => (data as Float32Array<ArrayBuffer>).buffer);
}
