import { type ClassMap, mapScores, onKnownClasses } from '../../core/ensemble/class-map.ts';
import { type TeacherQuality, teacherQuality } from '../../core/metrics/teacher-quality.ts';
import { BatchMaker } from '../../data/batch.ts';
import { type PreprocessWish, planInput } from '../../data/preprocess.ts';
import { RetortError } from '../../errors.ts';
import type { ResolvedSpec } from '../../spec/resolved-spec.ts';
import { refuseNotFinite } from '../logits/refuse-not-finite.ts';
import { scoreRows, spread } from '../logits/score-rows.ts';
import type { Scorer } from '../logits/scorer.ts';
import type { Rows } from '../training/open-rows.ts';
import { assembledType, preprocessWish } from './input-wish.ts';
import type { TeacherPlan } from './teacher-plan.ts';

const JUDGED_ROWS = 2000;
const TRIED_ROWS = 400;

/** Labelled rows of validation and training that the teacher is judged on; never of test. */
function judgedRows({ rows: { dataset }, map }: Judged): Uint32Array {
  const { validation, train } = dataset.splits;
  const isKnown = (label: number): boolean => label >= 0 && (!map || map[label]!.length > 0);
  const known = (rows: Uint32Array) =>
    rows.filter((row) => isKnown(dataset.labels[row]!) && dataset.labelled[row]);
  return spread(Uint32Array.from([...known(validation), ...known(train)]), JUDGED_ROWS);
}

/** A teacher that is judged, with the rows as it takes them. */
export interface Judged {
  readonly scorer: Scorer;
  readonly rows: Rows;
  readonly plan: TeacherPlan;
  readonly inputs: ResolvedSpec['inputs'];
  /** What its outputs mean; without it they are the classes of the job. */
  readonly map?: ClassMap;
}

/** A teacher's quality, and the scores [rows, classes] it was found from: of the classes it knows, in their order. */
export interface Judgement {
  readonly quality: TeacherQuality;
  readonly classes: number;
  readonly logits: Float32Array;
  readonly labels: Int32Array;
}

/** The teacher on labelled rows of classes it knows, among these; undefined without any. */
export async function judge(
  judged: Judged,
  onRows: (done: number, total: number) => void,
): Promise<Judgement | undefined> {
  const rows = judgedRows(judged);
  if (rows.length === 0) return undefined;
  const { scorer, plan } = judged;
  const { classes } = plan.scores;
  const options = {
    input: plan.input.name,
    classes,
    onRows: (done: number) => onRows(done, rows.length),
  };
  const logits = await scoreRows(scorer, judged.rows.plain, rows, options);
  refuseNotFinite(logits, rows);
  const scores = knownScores(judged, rows, logits);
  return { quality: teacherQuality(scores), ...scores };
}

/** Scores and labels of rows, of the classes that the teacher knows. */
function knownScores(
  { rows: { dataset }, plan, map }: Judged,
  rows: Uint32Array,
  logits: Float32Array,
): Omit<Judgement, 'quality'> {
  const { classes } = plan.scores;
  const labels = Int32Array.from(rows, (row) => dataset.labels[row]!);
  return map ? onKnownClasses(mapScores(logits, classes, map), labels, map) : { classes, logits, labels };
}

/** The refusal of a teacher that is no better than chance: its figures, and what would help if anything known does. */
export async function qualityError(
  quality: TeacherQuality,
  judged: Judged,
  seed: number,
): Promise<RetortError> {
  const tried = await tryScalings(judged, seed);
  const percent = (share: number) => `${(100 * share).toFixed(1)} %`;
  const best = tried.toSorted((a, b) => b.accuracy - a.accuracy)[0];
  const helps = best && best.accuracy > Math.max(quality.accuracy + 0.1, quality.threshold);
  const permuted = quality.permutedAccuracy > quality.accuracy + 0.2;
  return new RetortError(
    'TEACHER_QUALITY',
    `the teacher's balanced accuracy is ${percent(quality.balancedAccuracy)} on ${quality.rows} labelled rows ` +
      `(99 % bound ${percent(quality.lowerBound)}, needed above ${percent(quality.threshold)}; ` +
      `accuracy ${percent(quality.accuracy)}, largest class ${percent(quality.majority)})`,
    {
      hint: helps
        ? `With inputs scaled as "${best.name}" it reaches ${percent(best.accuracy)}: declare ${JSON.stringify(best.wish)} in inputs.`
        : permuted
          ? `With class indices renamed it reaches ${percent(quality.permutedAccuracy)}: check labels.classes.`
          : 'Check preprocessing and labels.classes; teacherQuality.override goes on regardless.',
      problems: [
        `accuracy under the best renaming of classes: ${percent(quality.permutedAccuracy)}`,
        ...tried.map(({ name, accuracy }) => `accuracy with inputs ${name}: ${percent(accuracy)}`),
      ],
      facts: { ...quality, scalings: tried.map(({ name, accuracy }) => ({ name, accuracy })) },
    },
  );
}

/** Common ways to scale bytes; the wrong one is the usual reason for a teacher that seems useless. */
const scalings: readonly { readonly name: string; readonly wish: PreprocessWish; readonly colour?: true }[] =
  [
    { name: '0..255', wish: { scale: 1, mean: [0], std: [1] } },
    { name: '0..1', wish: { scale: 1 / 255, mean: [0], std: [1] } },
    { name: '-1..1', wish: { scale: 1 / 255, mean: [0.5], std: [0.5] } },
    {
      name: 'ImageNet mean and deviation',
      wish: { scale: 1 / 255, mean: [0.485, 0.456, 0.406], std: [0.229, 0.224, 0.225] },
      colour: true,
    },
    {
      name: '0..255 minus the ImageNet mean',
      wish: { scale: 1, mean: [123.68, 116.78, 103.94], std: [1] },
      colour: true,
    },
  ];

async function tryScalings(judged: Judged, seed: number) {
  const { plan } = judged;
  const { dataset, input } = judged.rows;
  const channels = input.picture?.[2];
  if (!channels) return [];
  const declared = preprocessWish(judged, plan.input.name);
  const orders = channels === 3 ? (['RGB', 'BGR'] as const) : ([undefined] as const);
  const chosen = spread(judgedRows(judged), TRIED_ROWS);
  const column = dataset.columns.find((each) => each.name === input.column)!;
  const dims = plan.input.shape.map((dim) => dim ?? undefined);
  const tried: { name: string; accuracy: number; wish: PreprocessWish }[] = [];
  for (const { name, wish, colour } of scalings) {
    if (colour && channels !== 3) continue;
    for (const order of orders) {
      const mean = order === 'BGR' ? wish.mean!.toReversed() : wish.mean!;
      const std = order === 'BGR' ? wish.std!.toReversed() : wish.std!;
      const full = { ...declared, ...wish, mean, std, ...(order ? { colour: order } : {}) };
      const variant = planInput(plan.input.name, full, column, assembledType(plan), dims);
      const maker = new BatchMaker(dataset, {
        inputs: { [plan.input.name]: variant },
        seed,
        classes: Math.max(plan.scores.classes, dataset.classes.length),
      });
      const options = { input: plan.input.name, classes: plan.scores.classes };
      const logits = await scoreRows(judged.scorer, maker, chosen, options);
      const { accuracy } = teacherQuality(knownScores(judged, chosen, logits));
      const suggestion = { scale: wish.scale!, mean, std, ...(order === 'BGR' ? { colour: order } : {}) };
      tried.push({ name: order === 'BGR' ? `${name}, BGR` : name, accuracy, wish: suggestion });
    }
  }
  return tried;
}
