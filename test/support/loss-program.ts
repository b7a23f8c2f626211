import type { GraphBuilder } from '../../src/core/onnx/builder.ts';
import type { CollectedParts } from '../../src/core/program/objective-parts.ts';
import type { Program } from '../../src/core/program/program.ts';

/** A Program of one loss and no student: trains the initializers called `trained` and what the loss owns. */
export function lossProgram(
  b: GraphBuilder,
  value: string,
  trained: readonly string[],
  parts: CollectedParts,
): Program {
  // A state needs a step to be watched, a program at least one input.
  const one = b.input('one', 'float32', [1]);
  b.op('Mul', [value, b.op('Reshape', [one, b.ints([])])], {}, { outputs: ['loss'] });
  b.output('loss', ...parts.state.map(({ next }) => next));
  return {
    graph: b.build('loss'),
    loss: 'loss',
    metrics: [],
    parameters: [...trained.map((name) => ({ name, owner: 'input' as const })), ...parts.parameters],
    state: parts.state,
    batch: [{ name: 'one', dtype: 'float32', dims: [1] }],
    noise: parts.noise,
    scalars: [],
    optimizer: { name: 'sgd', options: {} },
  };
}
