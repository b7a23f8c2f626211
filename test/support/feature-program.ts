import { rowsOf } from '../../src/core/losses/feature-shapes.ts';
import type { FeatureUse, NumberArray, NumberPair } from '../../src/core/losses/features.ts';
import type { Loss } from '../../src/core/losses/loss.ts';
import { GraphBuilder } from '../../src/core/onnx/builder.ts';
import type { Graph } from '../../src/core/onnx/model.ts';
import { numbers as numbersOf, sizeOf, tensor } from '../../src/core/onnx/tensor.ts';
import { CollectedParts } from '../../src/core/program/objective-parts.ts';
import type { Program } from '../../src/core/program/program.ts';
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

/** Labels [B, 2] by the first number of each row of the student, so that copies of a row have the same; some rows have none. */
export const featureLabels = (pairs: readonly NumberPair[]): number[][] =>
  rowsOf(pairs[0]!.student).map(([first]) => [Number(first! < 0), Number(first! >= 0 && first! < 1)]);

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
      labels: put('labels', { dims: [batch, 2], data: featureLabels(pairs).flat() }),
      features,
      own: parts.of('test'),
      ...(loss.temperature === undefined ? {} : { temperature: b.constant(loss.temperature) }),
    },
    options,
  );
  const trained = features.map(({ student }) => student);
  const program = lossProgram(b, value, trained, parts);
  return { ...program, graph: moved(program.graph, parts) };
}

/**
 * What the loss owns a little off its start: a bias of 0 behind a mask of 0 is on the very edge of a ReLU, and a state of 0
 * has no say.
 */
function moved(graph: Graph, { parameters, state }: CollectedParts): Graph {
  const initializers = new Map(graph.initializers);
  const empty = state
    .map(({ initial }) => initial)
    .filter((name) => numbersOf(initializers.get(name)!).every((value) => value === 0));
  for (const name of [...parameters.map((parameter) => parameter.name), ...empty]) {
    const { dims, ...start } = initializers.get(name)!;
    const { data } = randomArray(dims, name, 0.1);
    const values = numbersOf({ dims, ...start }).map((value, i) => value + data[i]!);
    initializers.set(name, tensor('float32', dims, values));
  }
  return { ...graph, initializers };
}
