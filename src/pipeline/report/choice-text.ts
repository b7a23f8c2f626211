import type { Evidence } from '../../spec/method-choice.ts';
import type { Report } from './report.ts';

const percent = (share: number): string => (100 * share).toFixed(2);
const lengthText = (share: number): string => `${Number((100 * share).toPrecision(3))} %`;

/** The evidence of `method: "auto"` as rows of text, below a header; none where the spec gave the method. */
export function choiceRows({ choice }: Report): readonly (readonly string[])[] {
  if (!choice) return [];
  const row = ({
    method,
    share,
    score,
    against,
    difference,
    noise,
    verdict,
  }: Evidence): readonly string[] => [
    method,
    lengthText(share ?? choice.share),
    score === null ? '-' : `${percent(score)} %`,
    against ?? '-',
    difference === null ? '-' : `${difference >= 0 ? '+' : ''}${percent(difference)}`,
    noise === null ? '-' : percent(noise),
    verdict,
  ];
  return [
    ['tried', 'length', choice.measure, 'against', 'points', 'noise', 'verdict'],
    ...choice.evidence.map(row),
  ];
}

/** How it was chosen, in sentences. */
export function choiceLines({ choice }: Report): readonly string[] {
  if (!choice) return [];
  const { reason, rows, share, seedSpread } = choice;
  const seeds =
    seedSpread === null
      ? 'plain KD could not be trained with two seeds, so what they make is unknown'
      : `two seeds of plain KD differ by ${percent(seedSpread)} points after ${lengthText(share)} of the length`;
  return [`method: ${reason}`, `tried on ${rows} validation rows; ${seeds}`];
}
