import { invariant } from '../../errors.ts';
import { appendGradients } from '../autodiff/backward.ts';
import type { Target } from '../autodiff/rule.ts';
import { GraphBuilder } from '../onnx/builder.ts';
import type { DType } from '../onnx/dtype.ts';
import type { Graph } from '../onnx/model.ts';
import { sizeOf, type Tensor } from '../onnx/tensor.ts';
import { optimizers } from '../optimizers/index.ts';
import type { Optimizer } from '../optimizers/optimizer.ts';
import { entryOf, resolveOptions } from '../options.ts';
import type { Program, ProgramInput } from './program.ts';
import { type Member, packUnits, type Unit, unitDims } from './units.ts';

/** A tensor carried from step to step: it enters as `input` and leaves as `next`. */
export interface Carried extends ProgramInput {
  readonly next: string;
  /** The tensors of a Snapshot that lie end to end in it, under their Snapshot names. */
  readonly members: readonly Member[];
}

/** A Program as one graph that makes one step: forward, gradients, clipping, update, averages. */
export interface LoweredStep {
  /** Inputs: `carried`, then `data`, then `scalars`. Outputs: every `next`, then `results`. */
  readonly graph: Graph;
  readonly carried: readonly Carried[];
  /** The Program's batch and noise inputs. */
  readonly data: readonly ProgramInput[];
  /** Float scalars of the step: the Program's, the learning rate, the optimizer's own and its derived ones. */
  readonly scalars: readonly string[];
  /** Scalar outputs: the loss, then the metrics. */
  readonly results: readonly string[];
}

interface Rates {
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

/** Lowers a Program to its training step for an engine. */
export function lowerStep(program: Program, target: Target): LoweredStep {
  const b = builderBefore(program.graph);
  const { given, derived } = scalarNames(program);
  const units = parameterUnits(program);
  const carried: Carried[] = [];
  const carry = (name: string, dtype: DType, dims: readonly number[], members: readonly Member[]) => {
    const input = b.input(members[0]?.name === name ? name : b.fresh(name), dtype, dims);
    return {
      input,
      to: (next: string) => carried.push({ name: input, next, dtype, dims, members }),
    };
  };

  const parameters = units.map((unit, i) =>
    carry(`parameters:${i}`, 'float32', unitDims(unit), unit.members),
  );
  const states = program.state.map(({ initial }) => {
    const { dtype, dims } = initializer(program, initial);
    return carry(initial, dtype, dims, [{ name: initial, dims, offset: 0, size: sizeOf(dims) }]);
  });
  const data = dataInputs(program);
  for (const { name, dtype, dims } of data) b.input(name, dtype, dims);
  for (const scalar of [...given, ...derived]) b.input(scalar, 'float32', []);

  units.forEach((unit, i) => {
    unpack(b, parameters[i]!.input, unit);
  });
  b.append(bodyOf(program));
  const gradients = gradientsOf(b, program, target);
  const flat = clip(
    b,
    units.map((unit) => pack(b, unit, (name) => gradients.get(name)!)),
    program.clipNorm,
  );

  const updated = units.map((unit, i) => {
    const slot = (name: string) =>
      carry(`slot:${name}:${i}`, 'float32', unitDims(unit), renamed(unit.members, `slot:${name}:`));
    const next = update(b, program, unit.key, parameters[i]!.input, flat[i]!, slot);
    parameters[i]!.to(next);
    return next;
  });
  program.state.forEach(({ next }, i) => {
    states[i]!.to(next);
  });
  if (program.ema) {
    const average = (name: string, unit: Unit<unknown>, value: string) => {
      const old = carry(name, 'float32', unitDims(unit), renamed(unit.members, 'ema:'));
      const decay = b.constant(program.ema!.decay);
      const kept = b.op('Mul', [old.input, decay]);
      old.to(b.op('Add', [kept, b.op('Mul', [value, b.op('Sub', [b.constant(1), decay])])]));
    };
    units.forEach((unit, i) => {
      average(`ema:${i}`, unit, updated[i]!);
    });
    const nextOf = new Map(program.state.map(({ initial, next }) => [initial, next]));
    stateUnits(program).forEach((unit, i) => {
      average(
        `ema:state:${i}`,
        unit,
        pack(b, unit, (name) => nextOf.get(name)!),
      );
    });
  }
  const results = [program.loss, ...program.metrics];
  b.output(...carried.map(({ next }) => next), ...results);
  return { graph: b.build('step'), carried, data, scalars: [...given, ...derived], results };
}

/** Loss and raw parameter gradients of one step, parameters and state fed under their own names. */
export function lowerGradients(
  program: Program,
  target: Target,
): { readonly graph: Graph; readonly gradients: ReadonlyMap<string, string> } {
  const b = new GraphBuilder();
  const free = [
    ...program.parameters.map(({ name }) => name),
    ...program.state.map(({ initial }) => initial),
  ];
  for (const name of free) {
    const { dtype, dims } = initializer(program, name);
    b.input(name, dtype, dims);
  }
  for (const { name, dtype, dims } of dataInputs(program)) b.input(name, dtype, dims);
  for (const scalar of program.scalars) b.input(scalar, 'float32', []);
  b.append(bodyOf(program));
  const gradients = gradientsOf(b, program, target);
  // Identity, because two parameters may share one gradient value and an output needs its own name.
  const named = new Map(
    [...gradients].map(([name, value]) => [
      name,
      b.op('Identity', [value], {}, { name: `gradient:${name}` }),
    ]),
  );
  b.output(program.loss, ...named.values());
  return { graph: b.build('gradients'), gradients: named };
}

const dataInputs = (program: Program): ProgramInput[] =>
  [...program.batch, ...program.noise].map(({ name, dtype, dims }) => ({ name, dtype, dims }));

function initializer(program: Program, name: string): Tensor {
  const value = program.graph.initializers.get(name);
  invariant(value, `the Program trains or carries "${name}", which is no initializer of its graph`);
  return value;
}

/** A builder that leaves all names of a graph free until it is appended. */
function builderBefore(graph: Graph): GraphBuilder {
  const b = new GraphBuilder();
  b.reserve(graph.initializers.keys());
  for (const node of graph.nodes) b.reserve(node.outputs);
  return b;
}

/** The Program's nodes with what stays constant; parameters and state come from outside. */
function bodyOf(program: Program): Graph {
  const free = new Set([
    ...program.parameters.map(({ name }) => name),
    ...program.state.map(({ initial }) => initial),
  ]);
  const { graph } = program;
  return {
    ...graph,
    inputs: [],
    initializers: new Map([...graph.initializers].filter(([name]) => !free.has(name))),
  };
}

function parameterUnits(program: Program): Unit<Rates>[] {
  return packUnits(
    program.parameters.map(({ name, learningRate = 1, weightDecay = 1 }) => ({
      name,
      value: initializer(program, name),
      key: { learningRate, weightDecay },
    })),
  );
}

/** Floating state in units, for the moving average (a counter has none). */
function stateUnits(program: Program): Unit<string>[] {
  return packUnits(
    program.state
      .map(({ initial }) => ({ name: initial, value: initializer(program, initial), key: 'state' }))
      .filter(({ value }) => value.dtype === 'float32'),
  );
}

const renamed = (members: readonly Member[], prefix: string): Member[] =>
  members.map((member) => ({ ...member, name: prefix + member.name }));

/** Gives every member of a unit its own value under its own name. */
function unpack(b: GraphBuilder, input: string, unit: Unit<unknown>): void {
  if (unit.members.length === 1) {
    b.op('Identity', [input], {}, { outputs: [unit.members[0]!.name] });
    return;
  }
  const sizes = b.ints(unit.members.map(({ size }) => size));
  const outputs = unit.members.map(({ name, dims }) => (dims.length === 1 ? name : b.fresh(`flat:${name}`)));
  b.ops('Split', [input, sizes], { axis: 0 }, { outputs });
  unit.members.forEach(({ name, dims }, i) => {
    if (dims.length !== 1) b.op('Reshape', [outputs[i]!, b.ints(dims)], {}, { outputs: [name] });
  });
}

/** The members' values laid end to end. */
function pack(b: GraphBuilder, unit: Unit<unknown>, read: (name: string) => string): string {
  if (unit.members.length === 1) return read(unit.members[0]!.name);
  const flat = unit.members.map(({ name, dims }) =>
    dims.length === 1 ? read(name) : b.op('Reshape', [read(name), b.ints([-1])]),
  );
  return b.op('Concat', flat, { axis: 0 });
}

/** Gradients of all parameters by name, zero where the loss does not depend on one. */
const gradientsOf = (b: GraphBuilder, program: Program, target: Target): ReadonlyMap<string, string> =>
  appendGradients(b, { outputs: program.loss, wrt: program.parameters.map(({ name }) => name), target });

/** Clipping by global norm: g * c / max(c, norm), the norm over all gradients together. Pascanu et al. 2013, arXiv:1211.5063. */
function clip(b: GraphBuilder, gradients: readonly string[], clipNorm: number | undefined): string[] {
  if (clipNorm === undefined) return [...gradients];
  const squares = gradients.map((gradient) => b.op('ReduceSumSquare', [gradient], { keepdims: 0 }));
  const norm = b.op('Sqrt', [squares.reduce((sum, square) => b.op('Add', [sum, square]))]);
  const limit = b.constant(clipNorm);
  const scale = b.op('Div', [limit, b.op('Max', [limit, norm])]);
  return gradients.map((gradient) => b.op('Mul', [gradient, scale]));
}

/** One unit's update; declares its slots through `slot` and returns the new value. */
function update(
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
