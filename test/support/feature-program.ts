import type { FeatureUse, NumberArray, NumberPair } from '../../src/core/losses/features.ts';
import type { Loss } from '../../src/core/losses/loss.ts';
import { GraphBuilder } from '../../src/core/onnx/builder.ts';
import type { Graph } from '../../src/core/onnx/model.ts';
import { numbers as numbersOf, sizeOf, tensor } from '../../src/core/onnx/tensor.ts';
import { CollectedParts } from '../../src/core/program/objective-parts.ts';
import type { Parameter, Program } from '../../src/core/program/program.ts';
import { Random } from '../../src/core/random.ts';
import { lossProgram } from './loss-program.ts';

/** Seeds the numbers and the starts of what a loss owns. */
export const FEATURE_SEED = 11;

const randomArray = (dims: readonly number[], stream: string, scale: number): NumberArray => {
  const random = new Random(FEATURE_SEED, stream);
  return { dims, data: Array.from({ length: sizeOf(dims) }, () => Math.fround(random.normal() * scale)) };
};

/** Random tensors of the shapes of a sample. */
export const randomPairs = (sample: FeatureUse['samples'][number], scale = 1): NumberPair[] =>
  sample.map(({ student, teacher }, i) => ({
    student: randomArray(student, `student${i}`, scale),
    teacher: randomArray(teacher, `teacher${i}`, scale),
  }));

/** Option sets to try: the defaults, every boolean switched, every other choice of a union of words. */
export function optionSets(loss: Loss): Record<string, unknown>[] {
  const entries = Object.entries(
    loss.options.properties as Record<string, { default?: unknown; anyOf?: readonly { const?: unknown }[] }>,
  );
  const usual = Object.fromEntries(entries.map(([key, schema]) => [key, schema.default]));
  const defaults: Record<string, unknown> = { ...usual, ...loss.features?.trial };
  const others = entries.flatMap(([key, { default: usual, anyOf }]) => {
    const choices = typeof usual === 'boolean' ? [!usual] : (anyOf ?? []).map((choice) => choice.const);
    return choices.filter((choice) => choice !== usual).map((choice) => ({ ...defaults, [key]: choice }));
  });
  return [defaults, ...others];
}

/** A Program that trains the student's tensors themselves, besides what the loss owns. */
export function featureProgram(
  loss: Loss,
  pairs: readonly NumberPair[],
  options: Record<string, unknown>,
): Program {
  const b = new GraphBuilder();
  const put = (name: string, { dims, data }: NumberArray): string =>
    b.initializer(name, tensor('float32', dims, data));
  const features = pairs.map(({ student, teacher }, i) => ({
    student: put(`student${i}`, student),
    teacher: put(`teacher${i}`, teacher),
  }));
  const parts = new CollectedParts(b, FEATURE_SEED);
  const batch = pairs[0]!.student.dims[0]!;
  const unused = () =>
    b.initializer(b.fresh('unused'), tensor('float32', [batch, 2], new Float32Array(2 * batch)));
  const value = loss.build(
    {
      b,
      studentLogits: unused(),
      teacherLogits: unused(),
      labels: unused(),
      features,
      own: parts.of('test'),
      ...(loss.temperature === undefined ? {} : { temperature: b.constant(loss.temperature) }),
    },
    options,
  );
  const trained = features.map(({ student }) => student);
  const program = lossProgram(b, value, trained, parts);
  return { ...program, graph: moved(program.graph, parts.parameters) };
}

/** The loss's own parameters a little off their starts: a bias of 0 behind a mask of 0 is on the very edge of a ReLU. */
function moved(graph: Graph, parameters: readonly Parameter[]): Graph {
  const initializers = new Map(graph.initializers);
  for (const { name } of parameters) {
    const { dims, ...start } = initializers.get(name)!;
    const { data } = randomArray(dims, name, 0.1);
    const values = numbersOf({ dims, ...start }).map((value, i) => value + data[i]!);
    initializers.set(name, tensor('float32', dims, values));
  }
  return { ...graph, initializers };
}
