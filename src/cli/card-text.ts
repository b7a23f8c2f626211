import type { Shape } from '../core/onnx/model.ts';
import type { DatasetCard } from '../data/card.ts';
import type { ModelInspection } from '../pipeline/teacher/inspect-model.ts';
import { table } from './table.ts';

const number = (value: number): string => value.toLocaleString('en-US');
const shapeText = (shape: Shape | null): string =>
  shape ? `[${shape.map((dim) => (dim === '' ? '?' : dim)).join(', ')}]` : '[?]';

export function modelText({ card, scores, refusal }: ModelInspection): string {
  const values = (what: string, list: typeof card.inputs) =>
    list.map(({ name, dtype, shape }) => `${what}  ${name}  ${dtype} ${shapeText(shape)}\n`);
  const opsets = Object.entries(card.opsets).map(([domain, version]) => `${domain || 'ai.onnx'} ${version}`);
  const operators = Object.entries(card.operators)
    .sort((a, b) => b[1] - a[1])
    .map(([op, count]) => `${op} x${count}`);
  return [
    ...values('input ', card.inputs),
    ...values('output', card.outputs),
    `parameters  ${number(card.parameters)}\n`,
    `multiply-accumulates per row  ${card.macs === null ? 'unknown' : number(card.macs)}\n`,
    `bytes  ${number(card.bytes)}\n`,
    `IR ${card.irVersion}, opsets ${opsets.join(', ')}${card.producer ? `, by ${card.producer}` : ''}\n`,
    `operators  ${operators.join(', ')}\n`,
    ...card.warnings.map((warning) => `warning: ${warning}\n`),
    scores
      ? `can teach: ${scores.classes} class scores in "${scores.tensor}" (behind them: ${scores.behind})\n`
      : `cannot teach as it is: ${refusal?.code}: ${refusal?.message}\n${refusal?.hint ? `${refusal.hint}\n` : ''}`,
  ].join('');
}

const SHOWN = 30;

export function datasetText(card: DatasetCard): string {
  const { splits, classes, classCount, balance, duplicates, rejects } = card;
  const names = ['train', 'validation', 'test'] as const;
  const rows = classes
    .slice(0, SHOWN)
    .map(({ name, counts }) => [name, ...names.map((split) => number(counts[split]))]);
  const totals = ['all', ...names.map((split) => number(splits[split].rows))];
  return [
    `format  ${card.format}\n`,
    `rows  ${number(card.rows)} (${number(card.unlabelled)} without a label)\n`,
    ...card.columns.map(
      ({ name, kind, dtype, dims }) => `column  ${name}  ${kind} ${dtype} [${dims.join(', ')}]\n`,
    ),
    `classes  ${number(classCount)}; the largest holds ${(100 * balance.majority).toFixed(1)} % of the labelled rows\n`,
    table([['class', ...names], ...rows, totals]),
    ...(classCount > SHOWN ? [`... and ${number(classCount - SHOWN)} more classes\n`] : []),
    `duplicates  ${names.map((split) => `${duplicates.within[split]} within ${split}`).join(', ')}; ` +
      `${duplicates.across} across splits; ${duplicates.conflicting} with another label\n`,
    `rejects  ${rejects.count}\n`,
    ...rejects.listed.slice(0, SHOWN).map(({ source, reason }) => `  ${source}: ${reason}\n`),
  ].join('');
}
