import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { diskFolder } from '../src/adapters/files/disk-folder.ts';
import { fileSource } from '../src/adapters/files/file-source.ts';
import { sharpDecoder } from '../src/adapters/images/sharp-decoder.ts';
import { onnxruntime } from '../src/adapters/runtime/onnxruntime.ts';
import { planAugment } from '../src/data/augment/pipeline.ts';
import { BatchMaker } from '../src/data/batch.ts';
import { ingest } from '../src/data/ingest.ts';
import { openDataset } from '../src/data/open-dataset.ts';
import { planInput } from '../src/data/preprocess.ts';
import { SCORE_BATCH, scoreRows } from '../src/pipeline/logits/score-rows.ts';
import { Scorer } from '../src/pipeline/logits/scorer.ts';

const ROUNDS = 9;
const ROWS = 1024;

/**
 * The teacher stage's own loop (read shards, augment, normalise, run, collect) against a bare onnxruntime loop that runs
 * the same session on one ready batch. Interleaved; prints the median rates and their ratio.
 */
export async function teach(args: readonly string[]): Promise<void> {
  const { values } = parseArgs({ args: [...args], options: { fixtures: { type: 'string' } } });
  if (!values.fixtures) throw new Error('bench teach needs --fixtures DIR');
  const work = await mkdtemp(join(tmpdir(), 'retort-bench-'));
  const file = await fileSource(join(values.fixtures, 'data/cifar10.zip'));
  try {
    const folder = await diskFolder(work);
    await ingest({
      files: [file],
      pictures: { size: [32, 32], colour: 'RGB' },
      decoder: sharpDecoder(),
      folder,
    });
    const dataset = await openDataset(folder);
    const wish = { scale: 1 / 255, mean: [0.4914, 0.4822, 0.4465], std: [0.2023, 0.1994, 0.201] };
    const input = planInput('input', wish, dataset.columns[0]!, 'float32', [3, 32, 32]);
    const augment = planAugment([
      { name: 'crop', options: { padding: 4 } },
      { name: 'flip', options: {} },
    ]);
    const maker = new BatchMaker(dataset, { inputs: { input }, seed: 0, augment });
    const model = await readFile(join(values.fixtures, 'teachers/cifar10-resnet56-derived/model.onnx'));
    const session = await onnxruntime.open(model, { device: 'cpu', threads: 0 });
    const scorer = new Scorer(session, {
      batch: null,
      input: { name: 'input', dtype: 'float32', shape: [3, 32, 32] },
      constants: [],
      scores: { name: 'logits', classes: 10, kind: 'logits' },
    });
    const rows = dataset.splits.train.subarray(0, ROWS);
    const ready = (await maker.assemble(rows.subarray(0, SCORE_BATCH), 0)).inputs;
    const bare = async () => {
      for (let i = 0; i < ROWS / SCORE_BATCH; i++) await session.run(ready, ['logits']);
    };
    const stage = (epoch: number) => scoreRows(scorer, maker, rows, { input: 'input', classes: 10, epoch });
    await bare();
    const seconds: { bare: number[]; stage: number[] } = { bare: [], stage: [] };
    for (let round = 0; round < ROUNDS; round++) {
      seconds.bare.push(await timed(bare));
      seconds.stage.push(await timed(() => stage(round)));
    }
    const rate = (list: number[]) => ROWS / median(list);
    const result = {
      bare: rate(seconds.bare),
      stage: rate(seconds.stage),
      ratio: median(seconds.bare) / median(seconds.stage),
    };
    console.log(JSON.stringify({ name: 'teach', unit: 'rows/s', ...result }));
    await session.close();
    await dataset.close();
  } finally {
    await file.close();
    await rm(work, { recursive: true, force: true });
  }
}

async function timed(work: () => Promise<unknown>): Promise<number> {
  const started = performance.now();
  await work();
  return (performance.now() - started) / 1000;
}

const median = (list: readonly number[]): number =>
  list.toSorted((a, b) => a - b)[Math.floor(list.length / 2)]!;
