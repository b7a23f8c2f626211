import assert from 'node:assert/strict';
import { readdir, truncate } from 'node:fs/promises';
import { test } from 'node:test';
import { kernelsOn } from '../../src/adapters/kernels/index.ts';
import { onnxruntime } from '../../src/adapters/runtime/onnxruntime.ts';
import { batchThreads } from '../../src/adapters/threads/batch-threads.ts';
import { planAugment } from '../../src/data/augment/pipeline.ts';
import { BatchMaker, type BatchPlan } from '../../src/data/batch.ts';
import { ingest } from '../../src/data/ingest.ts';
import { openDataset, type StoredDataset } from '../../src/data/open-dataset.ts';
import { planInput } from '../../src/data/preprocess.ts';
import type { RetortError } from '../../src/errors.ts';
import { BlobFolder } from '../../src/pipeline/blob-folder.ts';
import type { Report } from '../../src/pipeline/report/report.ts';
import type { Results } from '../../src/pipeline/results.ts';
import { runJourney } from '../../src/pipeline/run.ts';
import { WatchedThreads } from '../support/batch-threads.ts';
import { noCodec } from '../support/data-files.ts';
import { memoryTools, tinyPictures, tinyRequest, tinySpec } from '../support/tiny-job.ts';

/** Batches made beside the training: the same bits, whatever befalls the thread. */

const augment = ['translate', 'rotate', 'mixup'].map((name) => ({ name }));
/** By its own choice a job may take another kernel the next time: whichever is faster at that moment. */
const train = { kernel: 'onnxruntime', epochs: 2, batchSize: 16, augment, checkpointEvery: 5 };
const spec = tinySpec({ train });
const kernels = kernelsOn(onnxruntime);

const watched = (threads: WatchedThreads) => ({
  ...memoryTools(),
  kernels: { ...kernels, onnxruntime: threads.patient(kernels.onnxruntime!) },
  threads,
});

const made = ({ publish }: Results) =>
  publish.artifacts.filter(({ name }) => /onnx$|jsonl$/.test(name)).map(({ name, hash }) => [name, hash]);

test('a job whose batches come from a thread is bit for bit the one whose batches are made between steps', async () => {
  const without = await runJourney(tinyRequest(spec), memoryTools());
  const threads = new WatchedThreads();
  const tools = watched(threads);
  const results = await runJourney(tinyRequest(spec), tools);
  assert.deepEqual(made(results), made(without));
  assert.ok(threads.asked > 10, `${threads.asked} chunks`);
  // Student and control; each goes when it has trained.
  assert.deepEqual([threads.opened, threads.closed], [2, 2]);
  const report = results.publish.artifacts.find(({ name }) => name === 'report.json')!;
  const { training } = JSON.parse(new TextDecoder().decode(await tools.blobs.get(report.hash))) as Report;
  const { milliseconds, share } = training.student!.wait!;
  assert.ok(milliseconds > 0 && share > 0 && share < 1);
});

test('a job that is stopped while a chunk is made ahead goes on where it was, to the same bits', async () => {
  const without = await runJourney(tinyRequest(spec), memoryTools());
  const threads = new WatchedThreads();
  const tools = watched(threads);
  const stop = new AbortController();
  threads.onAsked = () => {
    if (threads.asked === 8) stop.abort();
  };
  await assert.rejects(runJourney({ ...tinyRequest(spec), signal: stop.signal }, tools), {
    code: 'CANCELLED',
  });
  assert.equal(threads.closed, threads.opened);
  assert.deepEqual(made(await runJourney(tinyRequest(spec), tools)), made(without));
  assert.equal(threads.closed, threads.opened);
});

test('a thread that cannot read the records fails the job with the reason', async () => {
  const threads = new WatchedThreads();
  threads.change = (column) => ({ ...column, path: `${column.path}.gone` });
  await assert.rejects(runJourney(tinyRequest(spec), watched(threads)), { code: 'FILE_UNREADABLE' });
  assert.equal(threads.opened, 0);
});

/** The tiny pictures on disk, as a thread is told of them. */
async function withRows(
  cacheBytes: number,
  use: (dataset: StoredDataset, pathOf: (file: string) => Promise<string>) => Promise<void>,
): Promise<void> {
  const { blobs } = memoryTools();
  const folder = new BlobFolder(blobs);
  await ingest({ files: tinyPictures(64, 8), decoder: noCodec, folder });
  const dataset = await openDataset(folder, { cacheBytes });
  try {
    await use(dataset, (file) => blobs.path(folder.files[file]!.hash));
  } finally {
    await dataset.close();
    await (blobs as unknown as { close(): Promise<void> }).close();
  }
}

const planFor = (dataset: StoredDataset): BatchPlan => ({
  inputs: { x: planInput('x', { scale: 1 / 255, mean: [0.4], std: [0.3] }, dataset.columns[0]!) },
  seed: 5,
  smoothing: 0.1,
  labelled: dataset.labelled,
  augment: planAugment(augment.map((each) => ({ ...each, options: {} }))),
});

for (const [where, cacheBytes] of [
  ['memory', 2 ** 20],
  ['the file', 0],
] as const) {
  test(`a thread that reads from ${where} makes the batches of a maker`, async () => {
    await withRows(cacheBytes, async (dataset, pathOf) => {
      const maker = new BatchMaker(dataset, planFor(dataset));
      const columns = dataset.columnData!();
      assert.equal(columns[0]!.bytes !== undefined, cacheBytes > 0);
      const path = await pathOf(columns[0]!.file);
      const thread = await batchThreads.open(
        maker.recipe,
        columns.map((column) => ({ ...column, path })),
      );
      try {
        const wanted = [0, 1, 2].map((epoch) => [dataset.splits.train.slice(0, 20 + epoch), epoch] as const);
        const batches = await Promise.all(wanted.map(([rows, epoch]) => thread.assemble(rows, epoch)));
        for (const [i, [rows, epoch]] of wanted.entries()) {
          assert.deepEqual(batches[i], await maker.assemble(rows, epoch));
        }
      } finally {
        await thread.close();
      }
    });
  });
}

test('what fails in a thread arrives with its code, and a closed thread fails what is asked of it and holds no file', async () => {
  await withRows(0, async (dataset, pathOf) => {
    const maker = new BatchMaker(dataset, planFor(dataset));
    const path = await pathOf(dataset.columnData!()[0]!.file);
    const columns = dataset.columnData!().map((column) => ({ ...column, path }));
    const before = await openFiles();
    const thread = await batchThreads.open(maker.recipe, columns);
    const rows = dataset.splits.train.slice(0, 4);
    try {
      // A bug of ours is told with its stack.
      await assert.rejects(thread.assemble(Uint32Array.of(4e6), 0), (error: RetortError) => {
        assert.equal(error.code, 'INTERNAL');
        return /no row 4000000/.test(String(error.cause));
      });
      assert.equal((await thread.assemble(rows, 0)).labels.length, 16);
      await truncate(path, 64);
      await assert.rejects(thread.assemble(rows, 0), { code: 'STORE_CORRUPT' });
    } finally {
      const pending = assert.rejects(thread.assemble(rows, 1), { code: 'CANCELLED' });
      await thread.close();
      await pending;
    }
    await assert.rejects(thread.assemble(rows, 1), { code: 'CANCELLED' });
    assert.equal(await openFiles(), before);
    await assert.rejects(batchThreads.open(maker.recipe, columns), { code: 'STORE_CORRUPT' });
    assert.equal(await openFiles(), before);
  });
});

/** File descriptors of this process, where the system tells. */
async function openFiles(): Promise<number> {
  if (process.platform !== 'linux') return 0;
  return (await readdir('/proc/self/fd')).length;
}
