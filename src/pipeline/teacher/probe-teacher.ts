import { isFloat } from '../../core/onnx/dtype.ts';
import { sizeOf } from '../../core/onnx/tensor.ts';
import { Random } from '../../core/random.ts';
import { RetortError } from '../../errors.ts';
import { Scorer, type ScorerPlan } from '../logits/scorer.ts';
import type { Session } from '../ports.ts';

const ROWS = 3;
const TOLERANCE = 1e-3;

export interface Probed {
  readonly batch: number | null;
  /** Probabilities where every row was one distribution: between 0 and 1, adding up to 1. */
  readonly kind: ScorerPlan['scores']['kind'];
  readonly warnings: readonly string[];
}

/**
 * What only running shows, on some random rows. Whether rows can really go together: graphs that declare any batch may
 * still hold constants made for one row; rows go together and alone, and where that fails or differs, the model is run one
 * row at a time. And whether the scores are probabilities, of a softmax that was not found or of a forest.
 */
export async function probeTeacher(session: Session, plan: ScorerPlan): Promise<Probed> {
  try {
    const { batch, input, scores } = plan;
    // Open dimensions are the data's to fill; the rows themselves will show whether it works.
    if (input.shape.includes(null)) return { batch, kind: scores.kind, warnings: [] };
    const dims = input.shape as readonly number[];
    const random = new Random(0, 'probe');
    const rows = (count: number, data: Float32Array) => ({
      dtype: 'float32' as const,
      dims: [count, ...dims],
      data,
    });
    // 0 and 1 are words of every vocabulary, and what masks hold.
    const draw = (): number => (isFloat(input.dtype) ? random.uniform() : random.int(2));
    const data = Float32Array.from({ length: ROWS * sizeOf(dims) }, draw);
    const alone = await new Scorer(session, { ...plan, batch: batch ?? 1 }).logits(rows(ROWS, data));
    const isHidden = scores.kind === 'logits' && areDistributions(alone, scores.classes);
    const kind = isHidden ? 'probabilities' : scores.kind;
    const warnings = isHidden ? [hidden(scores.name)] : [];
    if (batch !== null) return { batch, kind, warnings };
    const together = await new Scorer(session, plan).logits(rows(ROWS, data)).catch((error: unknown) => {
      if (!(error instanceof RetortError)) throw error;
      return undefined;
    });
    const top = alone.reduce((max, value) => Math.max(max, Math.abs(value)), 1);
    const same = together?.every((value, i) => Math.abs(value - alone[i]!) <= TOLERANCE * top);
    if (same) return { batch: null, kind, warnings };
    const single = 'the teacher runs one row at a time: several rows together give other results';
    return { batch: 1, kind, warnings: [...warnings, single] };
  } finally {
    await session.close();
  }
}

const areDistributions = (scores: Float32Array, classes: number): boolean =>
  scores.every((each) => each >= 0) &&
  Array.from({ length: ROWS }, (_, row) => scores.subarray(row * classes, (row + 1) * classes)).every(
    (own) => Math.abs(own.reduce((sum, each) => sum + each, 0) - 1) <= TOLERANCE,
  );

const hidden = (name: string): string =>
  `"${name}" holds probabilities (random rows add up to 1 each), so their logarithms are taken for class scores and the student ends in a softmax; export what is in front of the teacher's own, if it has one`;
