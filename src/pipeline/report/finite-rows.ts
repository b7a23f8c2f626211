import { refuseNotFinite } from '../logits/refuse-not-finite.ts';
import { notFiniteRows } from '../not-finite-rows.ts';

/** What a teacher says of some rows. */
export interface Answer {
  /** Who it is, in a warning. */
  readonly who: string;
  /** [rows, classes] */
  readonly logits: Float32Array;
  readonly classes: number;
}

export interface FiniteRows {
  readonly rows: Uint32Array;
  /** Of each teacher, on these rows. */
  readonly logits: readonly Float32Array[];
  readonly warnings: readonly string[];
}

/**
 * Those of the test rows that all teachers give finite scores: nothing can be compared with a teacher elsewhere, and all
 * models are to be measured on the same rows. Without any such row TEACHER_NOT_FINITE.
 */
export function finiteRows(test: Uint32Array, answers: readonly Answer[]): FiniteRows {
  const bad = answers.map(({ logits }) => new Set(notFiniteRows(logits, test.length)));
  const kept = [...test.keys()].filter((i) => bad.every((rows) => !rows.has(i)));
  if (kept.length === test.length) {
    return { rows: test, logits: answers.map(({ logits }) => logits), warnings: [] };
  }
  if (kept.length === 0) for (const { logits } of answers) refuseNotFinite(logits, test);
  const warnings = answers.flatMap(({ who }, k) =>
    bad[k]!.size === 0
      ? []
      : [
          `${who} gives ${bad[k]!.size} of ${test.length} test rows scores that are infinite or not a number; all figures are on the ${kept.length} rows without such scores`,
        ],
  );
  const logits = answers.map(({ logits, classes }) => {
    const own = new Float32Array(kept.length * classes);
    for (const [at, i] of kept.entries()) {
      own.set(logits.subarray(i * classes, (i + 1) * classes), at * classes);
    }
    return own;
  });
  return { rows: Uint32Array.from(kept, (i) => test[i]!), logits, warnings };
}
