import { meanLogits } from '../../core/mean-logits.ts';
import { mixLogits } from '../../core/mix-logits.ts';
import type { Model } from '../../core/onnx/model.ts';
import { JOB_TEACHER, type Phase } from '../../core/strategies/phase.ts';
import { sharedTemperature, takesPlainScores } from '../../core/strategies/terms.ts';
import { cancelled } from '../cancelled.ts';
import { loadLogits } from '../logits/logits-store.ts';
import { scoreRows } from '../logits/score-rows.ts';
import type { Scorer } from '../logits/scorer.ts';
import type { Results } from '../results.ts';
import type { StageContext } from '../stage.ts';
import { openStudent } from '../student/open-student.ts';
import type { Rows } from './open-rows.ts';

/** What a phase learns from: logits of the training rows by epoch. */
export interface PhaseTeacher {
  logits(epoch: number): Promise<Float32Array>;
  close(): Promise<void>;
}

/**
 * The job's teacher as the teach stage has asked it; a student of an earlier phase is asked when its logits are needed, on
 * the pixels of that very epoch. Several are one by the mean of their probabilities at the temperature of the terms, or
 * of their logits where a term reads no softmax. One view is held at a time; after a resumption it is made again and has the
 * same bits.
 */
export function phaseTeacher(
  { teachers = { [JOB_TEACHER]: 1 }, terms }: Pick<Phase, 'teachers' | 'terms'>,
  studentOf: (phase: string) => Promise<Model>,
  rows: Rows,
  done: Pick<Results, 'teach' | 'inspect'>,
  context: StageContext,
): PhaseTeacher {
  const { spec, signal } = context;
  const { plan } = done.inspect;
  const { classes } = plan.scores;
  const isAugmented = spec.train.augment.length > 0;
  const maker = isAugmented ? rows.augmented() : rows.plain;
  const open = new Map<string, Promise<Scorer>>();
  const scorerOf = (phase: string): Promise<Scorer> => {
    const scorer = open.get(phase) ?? studentOf(phase).then((model) => openStudent(model, done, context));
    open.set(phase, scorer);
    return scorer;
  };
  const onRows = (): void => {
    if (signal.aborted) throw cancelled('train');
  };
  const logitsOf = async (teacher: string, epoch: number): Promise<Float32Array> => {
    const views = done.teach.train;
    if (teacher === JOB_TEACHER) return loadLogits(context.blobs, views[Math.min(epoch, views.length - 1)]!);
    const options = { input: plan.input.name, classes, epoch, onRows };
    return scoreRows(await scorerOf(teacher), maker, rows.dataset.splits.train, options);
  };
  const mixed = async (epoch: number): Promise<Float32Array> => {
    const sources: { readonly logits: Float32Array; readonly weight: number }[] = [];
    for (const [teacher, weight] of Object.entries(teachers)) {
      sources.push({ logits: await logitsOf(teacher, epoch), weight });
    }
    if (sources.length === 1) return sources[0]!.logits;
    return terms.some(takesPlainScores)
      ? meanLogits(sources)
      : mixLogits(sources, classes, sharedTemperature(terms));
  };
  let held: { readonly epoch: number; readonly logits: Promise<Float32Array> } | undefined;
  return {
    logits(epoch) {
      // Without augmentation every epoch shows the same pixels.
      const view = isAugmented ? epoch : 0;
      if (held?.epoch !== view) held = { epoch: view, logits: mixed(view) };
      return held.logits;
    },
    async close() {
      for (const scorer of open.values()) await (await scorer).close();
    },
  };
}
