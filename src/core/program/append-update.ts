import type { GraphBuilder } from '../onnx/builder.ts';
import { optimizers } from '../optimizers/index.ts';
import type { Optimizer } from '../optimizers/optimizer.ts';
import { entryOf, resolveOptions } from '../options.ts';
import type { Program } from './program.ts';

/** What a step does with gradients, as nodes: clipping and the optimizer's rule. */

/** Multipliers of the learning rate and the weight decay. */
export interface Rates {
  readonly learningRate: number;
  readonly weightDecay: number;
}

/** The optimizer of a Program with its options resolved. */
export function optimizerOf(program: Program) {
  const { name, options } = program.optimizer;
  const optimizer = entryOf<Optimizer>(optimizers, name, 'optimizer');
  return { optimizer, options: resolveOptions(optimizer.options, options, name) };
}

/** Scalars a kernel must feed at every step: those a Chunk brings, then those the optimizer derives. */
export function scalarNames(program: Program): { readonly given: string[]; readonly derived: string[] } {
  const { optimizer, options } = optimizerOf(program);
  const own = Object.keys(optimizer.scalars);
  const ones = Object.fromEntries(own.map((name) => [name, 0.5]));
  return {
    given: [...new Set(['learning_rate', ...own, ...program.scalars])],
    derived: Object.keys(optimizer.derive?.(1, ones, options) ?? {}),
  };
}

/** Clipping by global norm: g * c / max(c, norm), the norm over all gradients together. Pascanu et al. 2013, arXiv:1211.5063. */
export function clip(b: GraphBuilder, gradients: readonly string[], clipNorm: number | undefined): string[] {
  if (clipNorm === undefined) return [...gradients];
  const squares = gradients.map((gradient) => b.op('ReduceSumSquare', [gradient], { keepdims: 0 }));
  const norm = b.op('Sqrt', [squares.reduce((sum, square) => b.op('Add', [sum, square]))]);
  const limit = b.constant(clipNorm);
  const scale = b.op('Div', [limit, b.op('Max', [limit, norm])]);
  return gradients.map((gradient) => b.op('Mul', [gradient, scale]));
}

/** One unit's update; declares its slots through `slot` and returns the new value. */
export function update(
  b: GraphBuilder,
  program: Program,
  rates: Rates,
  param: string,
  grad: string,
  slot: (name: string) => { readonly input: string; to(next: string): void },
): string {
  const { optimizer, options } = optimizerOf(program);
  const { given, derived } = scalarNames(program);
  const scalars = Object.fromEntries([...given, ...derived].map((name) => [name, name]));
  if (rates.learningRate !== 1) {
    scalars.learning_rate = b.op('Mul', ['learning_rate', b.constant(rates.learningRate)]);
  }
  const slots = Object.fromEntries(optimizer.slots.map((name) => [name, slot(name)]));
  const weightDecay = Number((options as Record<string, unknown>).weightDecay) * rates.weightDecay;
  const inputs = Object.fromEntries(Object.entries(slots).map(([name, { input }]) => [name, input]));
  const next = optimizer.build({ b, param, grad, slots: inputs, scalars, weightDecay }, options);
  for (const name of optimizer.slots) slots[name]!.to(next.slots[name]!);
  return next.param;
}
