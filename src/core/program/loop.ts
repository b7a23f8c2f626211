import { GraphBuilder } from '../onnx/builder.ts';
import type { Graph, Node, ValueInfo } from '../onnx/model.ts';
import { tensor } from '../onnx/tensor.ts';
import type { LoweredStep } from './lower.ts';

/** Name of the int64 input that says how many steps to make. */
export const STEPS_INPUT = 'steps';

/** `name` of the value with all K steps of an input: data [K, ...dims], scalars [K]. */
export const stacked = (name: string): string => `all:${name}`;

/** Name of the output with a carried tensor after the last step. */
export const carriedOut = (name: string): string => `${name}:out`;

/**
 * K steps in one graph, as an ONNX Loop (operator page "Loop"): carried tensors are loop-carried, so they pass from
 * step to step without a copy; data and scalars are outer-scope tensors of which step i gathers row i; results are
 * scan outputs [K]. K is the value of STEPS_INPUT.
 */
export function loopGraph(step: LoweredStep): Graph {
  const b = new GraphBuilder();
  b.reserve(step.graph.initializers.keys());
  for (const made of step.graph.nodes) b.reserve(made.outputs);
  const iteration = b.input(b.fresh('iteration'), 'int64', []);
  const proceed = b.input(b.fresh('proceed'), 'bool', []);
  const carriedIn: ValueInfo[] = step.carried.map(({ name, dtype, dims }) => ({ name, dtype, shape: dims }));
  for (const { name, dtype, shape } of carriedIn) b.input(name, dtype, shape);
  const rows = [
    ...step.data.map(({ name, dtype, dims }) => ({ name, dtype, dims })),
    ...step.scalars.map((name) => ({ name, dtype: 'float32' as const, dims: [] })),
  ];
  for (const { name, dtype, dims } of rows) {
    b.input(stacked(name), dtype, [STEPS_INPUT, ...dims]);
    b.op('Gather', [stacked(name), iteration], { axis: 0 }, { outputs: [name] });
  }
  b.append(step.graph);
  // A loop output needs a name of its own: a state may leave unchanged, and two values may be one. A copy costs a pass.
  const unused = new Set(step.graph.nodes.flatMap(({ outputs }) => outputs));
  const out = (name: string) =>
    unused.delete(name) ? name : b.op('Identity', [name], {}, { outputs: [b.fresh(`out:${name}`)] });
  const names = [proceed, ...step.carried.map(({ next }) => next), ...step.results].map(out);
  b.output(...names);
  const built = b.build('steps');
  const fed = new Set([iteration, proceed, ...carriedIn.map(({ name }) => name)]);
  const body: Graph = { ...built, inputs: built.inputs.filter(({ name }) => fed.has(name)) };

  const node: Node = {
    op: 'Loop',
    domain: '',
    name: 'steps',
    inputs: [STEPS_INPUT, 'always', ...step.carried.map(({ name }) => name)],
    outputs: [...step.carried.map(({ name }) => carriedOut(name)), ...step.results],
    attributes: { body: { type: 'graph', value: body } },
  };
  return {
    name: 'training',
    nodes: [node],
    initializers: new Map([['always', tensor('bool', [], [1])]]),
    inputs: [
      { name: STEPS_INPUT, dtype: 'int64', shape: [] },
      ...carriedIn,
      ...rows.map(({ name, dtype, dims }) => ({ name: stacked(name), dtype, shape: [STEPS_INPUT, ...dims] })),
    ],
    outputs: [
      ...carriedIn.map((info) => ({ ...info, name: carriedOut(info.name) })),
      ...step.results.map((name) => ({ name, dtype: 'float32' as const, shape: [STEPS_INPUT] })),
    ],
    valueInfo: new Map(),
  };
}
