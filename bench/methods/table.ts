import type { MethodResult } from './method-result.ts';
import { CONTROL, LEFT_OUT, METHODS, PLAIN } from './methods.ts';
import { isFull, type Setting } from './setting.ts';
import { isBeyondNoise, type Row, type Spread } from './summary.ts';
import { unlisted } from './unlisted.ts';

/** The table and what it says, as Markdown. */
export function tableText(
  rows: readonly Row[],
  results: readonly MethodResult[],
  setting: Setting,
  missed: readonly string[],
): string {
  const header = [
    'method',
    'accuracy',
    'to control',
    'to KD',
    'agreement',
    'min',
    'CPU min',
    'MiB',
    'seeds',
    'how',
  ];
  const line = (cells: readonly string[]) => `| ${cells.join(' | ')} |`;
  const distinct = (key: 'tree' | 'machine' | 'day') =>
    [...new Set(results.map((each) => each[key]))].join(', ');
  const teachers = new Set(
    results.flatMap(({ outcome }) => ('teacher' in outcome ? [(100 * outcome.teacher).toFixed(2)] : [])),
  );
  return [
    ...(isFull(setting)
      ? []
      : [`**Setting \`${setting.name}\`, ${setting.epochs} epochs: too short to tell methods apart.**`, '']),
    `Setting \`${setting.name}\`, ${setting.epochs} epochs; teacher ${[...teachers].join(', ')} %. ${distinct('machine')}; ${distinct('day')}; tree ${distinct('tree')}.`,
    '',
    line(header),
    line(header.map(() => '---')),
    ...rows.map((row) => line(cellsOf(row))),
    '',
    ...verdicts(rows),
    ...rows.flatMap(({ method, failures }) => failures.map((why) => `- **${method.name}** failed, ${why}`)),
    ...rows.flatMap(({ method: { name, explanation } }) =>
      explanation ? [`- **${name}**: ${explanation}`] : [],
    ),
    ...missed.map((each) => `- Expected and missed: ${each}.`),
    '',
    `No rows of their own: ${Object.entries(LEFT_OUT)
      .map(([name, why]) => `\`${name}\` ${why}`)
      .join('; ')}.`,
    ...unmeasured(rows),
  ].join('\n');
}

/** Methods without a result yet, and what has no method. */
function unmeasured(rows: readonly Row[]): string[] {
  const waiting = METHODS.filter(({ name }) => rows.every(({ method }) => method.name !== name));
  const names = [...waiting.map(({ name }) => name), ...unlisted()];
  return names.length > 0 ? [`Not measured: ${names.join(', ')}.`] : [];
}

function cellsOf(row: Row): string[] {
  const { method, accuracy, toControl, toPlain, agreement, seeds } = row;
  return [
    `\`${method.name}\``,
    spread(accuracy),
    signed(toControl),
    signed(toPlain),
    agreement ? agreement.mean.toFixed(2) : '-',
    number(row.minutes, 1),
    number(row.cpuMinutes, 1),
    number(row.peakMiB, 0),
    seeds.join(' ') || '-',
    [method.note, ...(row.chosen.length > 0 ? [`chose ${row.chosen.join(', ')}`] : [])].join('; '),
  ];
}

const number = (value: number | null, digits: number): string =>
  value === null ? '-' : value.toFixed(digits);

const spread = (value: Spread | null): string => {
  if (!value) return '-';
  const { mean, deviation } = value;
  return deviation === null ? mean.toFixed(2) : `${mean.toFixed(2)} ± ${deviation.toFixed(2)}`;
};

/** With its sign; a star where it is beyond what seeds make. */
const signed = (value: Spread | null): string => {
  if (!value) return '-';
  const sign = value.mean >= 0 ? '+' : '';
  return `${sign}${spread(value)}${isBeyondNoise(value) ? ' *' : ''}`;
};

/** Who loses, in plain words. */
function verdicts(rows: readonly Row[]): string[] {
  const losers = (pick: (row: Row) => Spread | null): string =>
    rows
      .filter((row) => (pick(row)?.mean ?? 0) < 0)
      .sort((a, b) => pick(a)!.mean - pick(b)!.mean)
      .map(
        (row) => `${row.method.name} (${pick(row)!.mean.toFixed(2)}${isBeyondNoise(pick(row)!) ? ' *' : ''})`,
      )
      .join(', ') || 'none';
  const others = rows.filter(({ method }) => method.name !== CONTROL && method.name !== PLAIN);
  const winners = others.filter(({ toPlain }) => toPlain && toPlain.mean > 0 && isBeyondNoise(toPlain));
  return [
    '`±` is the standard deviation over seeds, differences are paired by seed, `*` marks those beyond the noise of seeds (95 %, t).',
    '',
    `- Below plain KD: ${losers(({ toPlain }) => toPlain)}.`,
    `- Below the control, so worse than no teacher: ${losers(({ toControl }) => toControl)}.`,
    `- Above plain KD beyond the noise of seeds: ${winners.map(({ method }) => method.name).join(', ') || 'none'}.`,
  ];
}
