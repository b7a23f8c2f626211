import { losses } from '../../src/core/losses/index.ts';
import { strategies } from '../../src/core/strategies/index.ts';
import { LEFT_OUT, METHODS } from './methods.ts';

interface Sections {
  readonly objective?: { readonly terms?: readonly { readonly loss: string }[] };
  readonly strategy?: { readonly name: string };
}

/** Losses and strategies that no row measures and nobody has left out: what has come since the table was written. */
export function unlisted(): readonly string[] {
  const specs = METHODS.map(({ spec }) => spec as Sections);
  const shown = new Set([
    ...Object.keys(LEFT_OUT),
    ...specs.flatMap(({ objective }) => objective?.terms?.map(({ loss }) => loss) ?? []),
    ...specs.flatMap(({ strategy }) => strategy?.name ?? []),
  ]);
  return [...Object.keys(losses), ...Object.keys(strategies)].filter((name) => !shown.has(name));
}
