import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { RunRequest } from './run-child.ts';
import { runChild } from './run-method.ts';
import type { Setting } from './setting.ts';

/** A ResNet-20 that learned from the labels of all 22,500 rows but the validation ones; the same for every seed. */
const RESNET20 = {
  data: {
    train: { from: 'train', perClass: [0, 2250] },
    validation: { from: 'train', perClass: [2250, 2500] },
    test: { from: 'test' },
  },
  student: { architecture: 'resnet', depth: 20, width: 16 },
  objective: { terms: [{ loss: 'cross-entropy' }] },
  controls: false,
  seed: 1000,
};

/** Epochs on 22,500 rows, where the plain run makes 30 on 5,000. */
const EPOCHS = 15 / 30;

/**
 * The teacher that no fixture has, trained once per setting and kept in the work folder; undefined where it was stopped. It
 * is a file like any other: nothing of its training is shared with the students.
 */
export async function madeTeacher(
  request: Pick<RunRequest, 'teacher' | 'data' | 'store'>,
  { base, name, epochs }: Setting,
  work: string,
  watch: Parameters<typeof runChild>[2],
): Promise<string | undefined> {
  const path = join(work, name, 'resnet20.onnx');
  if (existsSync(path)) return path;
  const { objective: _objective, ...rest } = base;
  const isQuick = name.startsWith('quick');
  // On the few rows of a quick setting half of its epochs would leave it no better than chance.
  const length = isQuick ? 2 * epochs : Math.max(1, Math.round(EPOCHS * epochs));
  const train = { ...base.train, epochs: length };
  const spec = { ...rest, ...RESNET20, ...(isQuick ? { data: base.data } : {}), train };
  const given = { ...request, spec, companions: [], onlyPrepare: false, out: path };
  const ended = await runChild(given, undefined, watch);
  if (ended.kind === 'done') return path;
  if (watch.signal.aborted) return undefined;
  throw new Error(`the teacher ResNet-20 could not be trained: ${ended.code}: ${ended.message}`);
}
