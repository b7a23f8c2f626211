import { invariant } from '../../errors.ts';
import { appendGradients } from '../autodiff/backward.ts';
import type { Target } from '../autodiff/rule.ts';
import { GraphBuilder } from '../onnx/builder.ts';
import type { DType } from '../onnx/dtype.ts';
import type { Graph } from '../onnx/model.ts';
import { pruned } from '../onnx/passes/prune.ts';
import { sizeOf, type Tensor } from '../onnx/tensor.ts';
import { clip, type Rates, scalarNames, update } from './append-update.ts';
import { lowerNode } from './lower-node.ts';
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

/** Lowers a Program to its training step for an engine. */
export function lowerStep(program: Program, target: Target): LoweredStep {
  return lower(program, [program.loss, ...program.metrics], (b, unpackAll) => {
    unpackAll();
    appendBody(b, program, target);
    return gradientsOf(b, program, target);
  });
}

/** Name under which `lowerUpdate` is fed the gradient of a parameter. */
export const gradientInput = (parameter: string): string => `gradient:${parameter}`;

/**
 * What a step does once it has the gradients (clipping, update, averages), for an engine that differentiates by itself.
 * The graph reads the carried tensors, the scalars, `gradientInput` of every parameter and the `next` of every state.
 */
export function lowerUpdate(program: Program): LoweredStep {
  return lower(program, [], (b) => {
    for (const { initial, next } of program.state) {
      const { dtype, dims } = initializer(program, initial);
      b.input(next, dtype, dims);
    }
    return new Map(
      program.parameters.map(({ name }) => {
        const { dtype, dims } = initializer(program, name);
        return [name, b.input(gradientInput(name), dtype, dims)];
      }),
    );
  });
}

/** A step around its gradients; `gradientsIn` brings them into the graph, by parameter name. */
function lower(
  program: Program,
  results: readonly string[],
  gradientsIn: (b: GraphBuilder, unpackAll: () => void) => ReadonlyMap<string, string>,
): LoweredStep {
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

  const gradients = gradientsIn(b, () => {
    units.forEach((unit, i) => {
      unpack(b, parameters[i]!.input, unit);
    });
  });
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
  b.output(...carried.map(({ next }) => next), ...results);
  // onnxruntime runs also what nothing reads: half-used gradients, recomputed values.
  return { graph: pruned(b.build('step')), carried, data, scalars: [...given, ...derived], results };
}

/** Loss and raw parameter gradients of one step, parameters and state fed under their own names. */
export function lowerGradients(
  program: Program,
  target: Target,
): { readonly graph: Graph; readonly gradients: ReadonlyMap<string, string> } {
  const b = builderBefore(program.graph);
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
  appendBody(b, program, target);
  const gradients = gradientsOf(b, program, target);
  // Identity, because two parameters may share one gradient value and an output needs its own name.
  const named = new Map(
    [...gradients].map(([name, value]) => [
      name,
      b.op('Identity', [value], {}, { name: `gradient:${name}` }),
    ]),
  );
  b.output(program.loss, ...named.values());
  return { graph: pruned(b.build('gradients')), gradients: named };
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

/** Adds the Program's nodes, lowered, with what stays constant; parameters and state come from outside. */
function appendBody(b: GraphBuilder, program: Program, target: Target): void {
  const free = new Set([
    ...program.parameters.map(({ name }) => name),
    ...program.state.map(({ initial }) => initial),
  ]);
  for (const [name, value] of program.graph.initializers) if (!free.has(name)) b.initializer(name, value);
  for (const node of program.graph.nodes) lowerNode(b, node, target);
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
