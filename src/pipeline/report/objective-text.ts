import { losses } from '../../core/losses/index.ts';
import type { Loss } from '../../core/losses/loss.ts';
import { entryOf, resolveOptions } from '../../core/options.ts';
import type { ObjectiveTerm } from '../../core/program/build-program.ts';
import type { Curve } from '../../core/schedules/curve.ts';

/** An objective in one line: weights, losses, and in brackets all that is not as it is by default. */
export const objectiveText = (terms: readonly ObjectiveTerm[]): string => terms.map(termText).join(' + ');

function termText(term: ObjectiveTerm): string {
  const { loss, weight, temperature, schedule } = term;
  const number = along(temperature ?? 1, schedule?.temperature, 1);
  const details = [
    ...(temperature === undefined ? [] : [`T = ${number}${schedule?.reversal ? ', then learned' : ''}`]),
    ...changedOptions(term),
    ...namedTensors(term),
  ];
  const shown = details.length > 0 ? ` (${details.join(', ')})` : '';
  return `${along(weight, schedule?.weight, weight)} x ${loss}${shown}`;
}

const along = (fixed: number, curve: Curve | undefined, factor: number): string =>
  curve ? `${factor * curve.from} to ${factor * curve.to}` : `${fixed}`;

/** Options that are not their defaults. */
function changedOptions({ loss, options }: ObjectiveTerm): string[] {
  const defaults: Readonly<Record<string, unknown>> = resolveOptions(
    entryOf<Loss>(losses, loss, 'loss').options,
    {},
    loss,
  );
  return Object.entries(options)
    .filter(([name, value]) => JSON.stringify(value) !== JSON.stringify(defaults[name]))
    .map(([name, value]) => `${name} = ${JSON.stringify(value)}`);
}

/** Tensors that the spec names; those that were found stand in lines of their own. */
function namedTensors({ from, to, likeness }: ObjectiveTerm): string[] {
  if (likeness || !from || !to || from === 'auto' || to === 'auto') return [];
  return from.map((teacher, i) => `\`${teacher}\` with \`${to[i]}\``);
}
