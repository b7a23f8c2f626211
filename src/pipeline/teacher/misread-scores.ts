import { losses } from '../../core/losses/index.ts';
import type { Loss } from '../../core/losses/loss.ts';
import type { LogitTap } from '../../core/onnx/tap-logits.ts';
import { entryOf } from '../../core/options.ts';
import type { ResolvedSpec } from '../../spec/resolved-spec.ts';
import type { ScoresTap } from './teacher-plan.ts';

/** Losses of a job that take the teacher's scores in this way, each once. */
export function lossesTaking(
  how: NonNullable<Loss['takesScores']>,
  { phases }: Pick<ResolvedSpec, 'phases'>,
): readonly string[] {
  const names = phases.flatMap(({ terms }) => terms.map(({ loss }) => loss));
  return [...new Set(names)].filter((name) => entryOf<Loss>(losses, name, 'loss').takesScores === how);
}

/** Warnings of losses that read every score by itself, where the scores are those of classes that exclude one another. */
export function exclusiveWarnings(
  spec: Pick<ResolvedSpec, 'phases'>,
  { post, output }: Pick<LogitTap, 'post' | 'output'>,
  { name, kind }: ScoresTap,
): readonly string[] {
  const reason =
    post !== 'none' && post !== 'sigmoid'
      ? `"${output}" of the teacher comes of their ${post}`
      : kind === 'probabilities'
        ? `"${name}" of the teacher holds probabilities`
        : undefined;
  if (reason === undefined) return [];
  return lossesTaking('one by one', spec).map(
    (loss) =>
      `"${loss}" takes every score for a yes or no of its own, and here classes exclude one another (${reason}): "kl" takes them so`,
  );
}

/**
 * Warnings of losses that take scores for values, where those of the teacher are further off the labels (1 for the class
 * of the row, 0 for the others) than a constant: it then holds the student back nowhere, and the labels alone teach.
 */
export function valueWarnings(
  spec: Pick<ResolvedSpec, 'phases'>,
  logits: Float32Array,
  labels: ArrayLike<number>,
  classes: number,
): readonly string[] {
  const taking = lossesTaking('values', spec);
  if (taking.length === 0 || labels.length === 0) return [];
  const target = (at: number): number => Number(labels[Math.floor(at / classes)] === at % classes);
  const off = logits.reduce((sum, z, at) => sum + (z - target(at)) ** 2, 0) / logits.length;
  const constant = (classes - 1) / classes ** 2;
  if (off <= constant) return [];
  return taking.map(
    (loss) =>
      `"${loss}" takes scores for values, and the teacher's are further off the labels (mean square ${off.toPrecision(3)}) than 1/${classes} for every class (${constant.toPrecision(3)}): it teaches little where there are labels`,
  );
}
