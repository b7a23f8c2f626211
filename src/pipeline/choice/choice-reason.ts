import { type Difference, isBeyond } from './compare-hits.ts';
import type { Able, Judgement } from './judge-candidates.ts';

/**
 * What won on the full length and by how much, and what the control says of it, in one sentence. `share` is the length of
 * the short round.
 */
export function choiceReason(
  short: Judgement,
  whole: Judgement & { readonly chosen: Able },
  share: number,
): string {
  const { chosen, distilled, control, compare } = whole;
  if (!distilled) return 'no distillation could be trained, so the labels alone are learned';
  if (chosen === control) {
    return `none helps: the control was better than ${nameOf(distilled)} on the full length (${textOf(compare(control, distilled))}), so the labels alone are learned`;
  }
  return [wonText(whole, chosen), ...controlText(short, whole, share)].join('; ');
}

function wonText({ safe, seedSpread, compare }: Judgement, chosen: Able): string {
  if (!safe) return `${nameOf(chosen)}: no safer distillation could be trained`;
  if (seedSpread === null) {
    return `${nameOf(chosen)}: what a seed makes is unknown, for plain KD could not be trained with two, so nothing takes its place`;
  }
  return chosen === safe
    ? `${nameOf(chosen)}: no fancier loss won by more than noise on the full length`
    : `${nameOf(chosen)} won over ${nameOf(safe)} by more than noise on the full length (${textOf(compare(chosen, safe))})`;
}

/** On the full length where it came so far, else on the short one; nothing where there was none. */
function controlText(short: Judgement, whole: Judgement, share: number): readonly string[] {
  const length = `on ${Number((100 * share).toPrecision(3))} % of the length`;
  if (whole.control && whole.distilled) {
    const gain = whole.compare(whole.distilled, whole.control);
    const before = short.safe ? [`the control was better ${length}`] : [];
    return isBeyond(gain)
      ? [...before, `it is better than the control on the full (${textOf(gain)})`]
      : [...before, `none helps: the control was as good on the full (${textOf(gain)})`];
  }
  if (!short.control || !short.safe) return [];
  const gain = short.compare(short.safe, short.control);
  if (gain.noise === null) return [`${nameOf(short.safe)} against the control ${length}: ${textOf(gain)}`];
  if (isBeyond(gain)) {
    return [`${nameOf(short.safe)} was better than the control ${length} (${textOf(gain)})`];
  }
  const asGood = `the control was as good ${length} (${textOf(gain)})`;
  return [
    whole.distilled === whole.safe
      ? `none helps: ${asGood}, distillation is kept for the full schedule, on which soft targets gain`
      : asGood,
  ];
}

const nameOf = ({ candidate }: Able): string => candidate.method;
const points = (share: number): string => `${share > 0 ? '+' : ''}${(100 * share).toFixed(2)} points`;
const textOf = ({ difference, noise }: Difference): string =>
  `${points(difference)}, noise ${noise === null ? 'unknown' : (100 * noise).toFixed(2)}`;
