import { knownClasses } from '../../core/ensemble/class-map.ts';
import { combineScores } from '../../core/ensemble/combine-scores.ts';
import { onKnownRows } from '../../core/ensemble/on-known-rows.ts';
import type { ResolvedSpec } from '../../spec/resolved-spec.ts';
import { givenWeights, jobScores } from '../logits/combine-views.ts';
import { modelReport } from '../report/model-report.ts';
import type { EnsembleReport, ModelReport, TeacherReport } from '../report/report.ts';
import type { Results } from '../results.ts';
import { classMaps, jobTeachers } from './job-teachers.ts';

export interface JudgedEnsemble {
  /** [N, C] of the whole, as the student was taught; no label has been read. */
  readonly logits: Float32Array;
  readonly model: ModelReport;
  readonly report: EnsembleReport;
}

/** The ensemble and each of its teachers on labelled rows, from the logits of each; undefined where there is one teacher. */
export function judgeEnsemble(
  logits: readonly Float32Array[],
  labels: Int32Array,
  names: readonly string[],
  done: Pick<Results, 'inspect' | 'decode' | 'qualify' | 'teach'>,
  spec: ResolvedSpec,
): JudgedEnsemble | undefined {
  const { ensemble } = spec;
  const found = done.teach.weights;
  if (!ensemble || !found) return undefined;
  const { classes } = done.inspect.plan.scores;
  const scores = jobScores(logits, done, ensemble);
  const request = { ...ensemble, weights: found.weights, given: givenWeights(ensemble), classes };
  const { logits: whole } = combineScores(scores, request);
  const maps = classMaps(done.qualify);
  const qualities = [done.qualify.quality, ...(done.qualify.others ?? []).map(({ quality }) => quality)];
  const all = jobTeachers(done, spec);
  const teachers = all.map(({ name, card }, i): TeacherReport => {
    const known = maps[i] && knownClasses(maps[i]);
    const isPartial = known !== undefined && known.length < classes;
    const everywhere = { classes, logits: scores[i]!, labels, teacherLogits: whole };
    const seen = isPartial ? onKnownRows(everywhere, known) : everywhere;
    return {
      name,
      weight: found.weights[i]!,
      meanWeight: found.mean[i]!,
      knows: isPartial ? known.map((c) => names[c] ?? String(c)) : null,
      rows: seen.labels.length,
      quality: qualities[i]!,
      ...modelReport(seen, card),
    };
  });
  const sum = (of: (card: (typeof all)[number]['card']) => number): number =>
    all.reduce((total, { card }) => total + of(card), 0);
  const cost = {
    parameters: sum((card) => card.parameters),
    macs: all.some(({ card }) => card.macs === null) ? null : sum((card) => card.macs!),
    bytes: sum((card) => card.bytes),
  };
  const { combine, temperature, weighting } = ensemble;
  return {
    logits: whole,
    model: modelReport({ classes, logits: whole, labels, teacherLogits: whole }, cost),
    report: {
      combine,
      temperature,
      weighting,
      teachers,
      ...(found.learned ? { learned: found.learned } : {}),
    },
  };
}
