import { sizeOf } from '../../core/onnx/tensor.ts';
import { Random } from '../../core/random.ts';
import { RetortError } from '../../errors.ts';
import { Scorer, type ScorerPlan } from '../logits/scorer.ts';
import type { Session } from '../ports.ts';

const ROWS = 3;
const TOLERANCE = 1e-3;

/**
 * Whether rows can really go together: graphs that declare any batch may still hold constants made for one row. Runs
 * some random rows together and alone; where that fails or differs, the model is run one row at a time.
 */
export async function probeBatch(
  session: Session,
  plan: ScorerPlan,
): Promise<{ readonly batch: number | null; readonly warning?: string }> {
  try {
    const { batch, input } = plan;
    // Open dimensions are the data's to fill; the rows themselves will show whether it works.
    if (batch !== null || input.shape.includes(null)) return { batch };
    const dims = input.shape as readonly number[];
    const random = new Random(0, 'probe');
    const rows = (count: number, data: Float32Array) => ({
      dtype: 'float32' as const,
      dims: [count, ...dims],
      data,
    });
    // 0 and 1 are words of every vocabulary, and what masks hold.
    const isWhole = !['float32', 'float16', 'float64', 'bfloat16'].includes(input.dtype);
    const draw = (): number => (isWhole ? random.int(2) : random.uniform());
    const data = Float32Array.from({ length: ROWS * sizeOf(dims) }, draw);
    const alone = await new Scorer(session, { ...plan, batch: 1 }).logits(rows(ROWS, data));
    const together = await new Scorer(session, plan).logits(rows(ROWS, data)).catch((error: unknown) => {
      if (!(error instanceof RetortError)) throw error;
      return undefined;
    });
    const top = alone.reduce((max, value) => Math.max(max, Math.abs(value)), 1);
    const same = together?.every((value, i) => Math.abs(value - alone[i]!) <= TOLERANCE * top);
    if (same) return { batch: null };
    return {
      batch: 1,
      warning: 'the teacher runs one row at a time: several rows together give other results',
    };
  } finally {
    await session.close();
  }
}
