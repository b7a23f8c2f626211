import { existsSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { Readable } from 'node:stream';
import { fileSource } from '../../src/adapters/files/file-source.ts';
import { localFacilities, localTools } from '../../src/adapters/local-tools.ts';
import { fsStores } from '../../src/adapters/storage/fs-stores.ts';
import { writeWhole } from '../../src/cli/distill/write-whole.ts';
import { decodeModel } from '../../src/core/onnx/decode.ts';
import { encodeModel } from '../../src/core/onnx/encode.ts';
import { runJourney } from '../../src/pipeline/run.ts';
import { openRows } from '../../src/pipeline/training/open-rows.ts';
import { parseSpec } from '../../src/spec/parse-spec.ts';
import { resolveSpec } from '../../src/spec/resolve-spec.ts';
import type { RunRequest } from './run-child.ts';
import type { Setting } from './setting.ts';
import { unfoldBatchNorm } from './unfold-batch-norm.ts';

/** Rows that the teacher sees at a time; all its hidden tensors are held at once. */
const ROWS = 50;

/**
 * The teacher with batch normalisation again, made once per setting and kept in the work folder. Its file has the
 * normalisation folded into the convolutions, and with it the statistics are gone that recovering pictures goes by; they are
 * measured anew on the training rows. Its answers stay what they are. Undefined where it was stopped.
 */
export async function normalizedTeacher(
  { teacher, data, store }: Pick<RunRequest, 'teacher' | 'data' | 'store'>,
  { base, name }: Setting,
  work: string,
  signal: AbortSignal,
): Promise<string | undefined> {
  const path = join(work, name, 'normalized.onnx');
  if (existsSync(path)) return path;
  const requested = parseSpec({ ...base, seed: 0 });
  const spec = resolveSpec(requested, await localFacilities(requested));
  const tools = localTools(fsStores(store));
  const [model, ...files] = await Promise.all([teacher, ...data].map((file) => fileSource(file)));
  const upload = { teacher: model!, companions: [], data: files };
  try {
    const done = await runJourney({ upload, requested, spec, signal, until: 'decode' }, tools);
    const { plan } = done.inspect;
    const { dataset, plain } = await openRows(done, { blobs: tools.blobs, spec });
    async function* batches() {
      const rows = dataset.splits.train;
      for (let from = 0; from < rows.length; from += ROWS) {
        signal.throwIfAborted();
        yield (await plain.assemble(rows.subarray(from, from + ROWS), 0)).inputs[plan.input.name]!;
      }
    }
    const folded = decodeModel(await tools.blobs.get(plan.model.hash));
    const unfolded = encodeModel(await unfoldBatchNorm(folded, batches(), tools.runtime));
    await dataset.close();
    await writeWhole(dirname(path), basename(path), Readable.from([unfolded]));
    return path;
  } catch (error) {
    if (signal.aborted) return undefined;
    throw error;
  } finally {
    await Promise.all([model!, ...files].map((source) => source.close()));
  }
}
