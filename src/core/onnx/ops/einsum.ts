import { stringAttribute } from '../attributes.ts';
import type { Dim, Shape } from '../model.ts';
import { misfit, shapeOf, sharedDtype } from './context.ts';
import { define, sample } from './define.ts';
import { broadcastDim, productOf, showShape } from './dims.ts';
import type { InferContext, ValueType } from './op.ts';

/** Einstein summation: "bij,bjk->bik", with ellipses; without an arrow, labels seen once in alphabetical order. */

interface Equation {
  readonly inputs: readonly string[];
  readonly output: string | undefined;
}

function parse(equation: string): Equation {
  const [left = '', output] = equation.replaceAll(' ', '').split('->');
  return { inputs: left.split(','), output };
}

/** Labels of one term; axes under the ellipsis are numbered from the right so that they broadcast. */
function labels(term: string, rank: number): string[] {
  const [before, after] = term.split('...');
  if (after === undefined) return [...term];
  const hidden = rank - before!.length - after.length;
  return [...before!, ...Array.from({ length: hidden }, (_, i) => `#${hidden - i}`), ...after];
}

function sizesOf(c: InferContext, shapes: readonly Shape[], equation: Equation): Map<string, Dim> {
  const sizes = new Map<string, Dim>();
  if (equation.inputs.length !== shapes.length)
    misfit(c, `the equation has ${equation.inputs.length} terms for ${shapes.length} inputs`);
  equation.inputs.forEach((term, i) => {
    const shape = shapes[i]!;
    const axes = labels(term, shape.length);
    if (axes.length !== shape.length) misfit(c, `term "${term}" does not fit ${showShape(shape)}`);
    axes.forEach((label, axis) => {
      const known = sizes.get(label) ?? 1;
      const dim = broadcastDim(known, shape[axis]!);
      if (dim === undefined) misfit(c, `label "${label}" is both ${known} and ${shape[axis]}`);
      sizes.set(label, dim);
    });
  });
  return sizes;
}

function outputLabels(equation: Equation, sizes: ReadonlyMap<string, Dim>): string[] {
  const hidden = [...sizes.keys()]
    .filter((l) => l.startsWith('#'))
    .sort((a, b) => Number(b.slice(1)) - Number(a.slice(1)));
  if (equation.output === undefined) {
    const text = equation.inputs.join('').replaceAll('.', '');
    const once = [...new Set(text)].filter((l) => text.indexOf(l) === text.lastIndexOf(l)).sort();
    return [...hidden, ...once];
  }
  const [before, after] = equation.output.split('...');
  return after === undefined ? [...before!] : [...before!, ...hidden, ...after];
}

function resolve(c: InferContext): { out: Dim[]; all: Dim[] } | undefined {
  const shapes = c.inputs.map((_, i) => shapeOf(c, i));
  if (!shapes.every((shape) => shape !== undefined)) return undefined;
  const equation = parse(stringAttribute(c.node, 'equation', ''));
  const sizes = sizesOf(c, shapes, equation);
  return { out: outputLabels(equation, sizes).map((l) => sizes.get(l) ?? 1), all: [...sizes.values()] };
}

const samples = {
  Einsum: [
    sample(
      [
        [2, 3, 4],
        [2, 4, 5],
      ],
      { equation: 'bij,bjk->bik' },
    ),
    sample([[2, 3]], { equation: 'ji' }),
    sample([[2, 3, 4], [4]], { equation: '...i, i -> ...' }),
    sample(
      [
        [3, 4],
        [4, 5],
      ],
      { equation: 'ij,jk' },
    ),
  ],
};

export const einsum = define(
  [
    {
      op: 'Einsum',
      infer: (c): ValueType[] => [
        {
          dtype: sharedDtype(
            c,
            c.inputs.map((_, i) => i),
          ),
          shape: resolve(c)?.out,
        },
      ],
      macs: (c) => {
        const product = productOf(resolve(c)?.all ?? ['']);
        return typeof product === 'number' ? product : 0;
      },
    },
  ],
  samples,
);
