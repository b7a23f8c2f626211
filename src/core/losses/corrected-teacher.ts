import type { GraphBuilder } from '../onnx/builder.ts';
import { rowSums } from './means.ts';
import { labelled, largest, targetMask, targetOf } from './target-mask.ts';

/** A probability below this counts as none: its logarithm is this one's. */
const LEAST = 1e-30;

/** ln p_t [B, C] with the label's entry and the largest in each other's place. */
export function swapped(b: GraphBuilder, teacher: string, labels: string): string {
  const { target, top, ofTarget, ofTop } = ends(b, teacher, labels);
  return b.op('Where', [target, ofTop, b.op('Where', [top, ofTarget, teacher])]);
}

/** ln of (1 - m) p_t + m onehot(y) [B, C], with the m of `corrected-kl`; ln p_t in rows without a label. */
export function mixed(b: GraphBuilder, teacher: string, labels: string, lead: number): string {
  const { target, ofTarget, ofTop } = ends(b, teacher, labels);
  const [one, least] = [b.constant(1), b.constant(lead)];
  const [py, pmax] = [b.op('Exp', [ofTarget]), b.op('Exp', [ofTop])];
  const gap = b.op('Sub', [pmax, py]);
  const whereWrong = b.op('Div', [b.op('Add', [gap, least]), b.op('Add', [gap, one])]);
  // The floor is for lead 0 and a teacher that is sure.
  const room = b.op('Max', [b.op('Sub', [one, py]), b.constant(Math.max(lead, LEAST))]);
  const share = b.op('Where', [
    b.op('Greater', [gap, b.constant(0)]),
    whereWrong,
    b.op('Div', [least, room]),
  ]);
  const p = b.op('Exp', [teacher]);
  const kept = b.op('Mul', [b.op('Sub', [one, share]), p]);
  const added = b.op('Where', [target, share, b.constant(0)]);
  const right = b.op('Log', [b.op('Max', [b.op('Add', [kept, added]), b.constant(LEAST)])]);
  return b.op('Where', [labelled(b, labels), right, teacher]);
}

function ends(b: GraphBuilder, teacher: string, labels: string) {
  const [target, top] = [targetMask(b, teacher, labels), largest(b, teacher)];
  const at = (mask: string) => rowSums(b, b.op('Where', [mask, teacher, b.constant(0)]));
  return { target, top, ofTarget: at(target), ofTop: at(top) };
}

/** Plain-number twin of both for one row of probabilities. */
export function correctedRow(
  teacher: readonly number[],
  label: readonly number[],
  correction: 'swap' | 'mix',
  lead: number,
): number[] {
  const [y, top] = [targetOf(teacher, label), targetOf(teacher)];
  const [py, pmax] = [teacher[y]!, teacher[top]!];
  if (correction === 'swap') return teacher.map((p, c) => (c === y ? pmax : c === top ? py : p));
  if (label.every((v) => v === 0)) return [...teacher];
  const share = py === pmax ? Math.min(1, lead / (1 - py)) : (pmax - py + lead) / (1 + pmax - py);
  return teacher.map((p, c) => (1 - share) * p + (c === y ? share : 0));
}
