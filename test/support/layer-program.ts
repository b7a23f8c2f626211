import type { NumberArray } from '../../src/core/losses/features.ts';
import type { Loss, LossNumbers } from '../../src/core/losses/loss.ts';
import { GraphBuilder } from '../../src/core/onnx/builder.ts';
import { numbers as numbersOf, sizeOf, tensor } from '../../src/core/onnx/tensor.ts';
import { CollectedParts } from '../../src/core/program/objective-parts.ts';
import type { Program } from '../../src/core/program/program.ts';
import { Random } from '../../src/core/random.ts';
import { lossProgram } from './loss-program.ts';

const CLASSES = 4;
const SEED = 5;
const PREFIX = 'objective/test/';

const drawn = (dims: readonly number[], stream: string, scale: number): NumberArray => {
  const random = new Random(SEED, stream);
  return { dims, data: Array.from({ length: sizeOf(dims) }, () => Math.fround(random.normal() * scale)) };
};

const rowsOf = ({ dims, data }: NumberArray): number[][] =>
  Array.from({ length: dims[0]! }, (_, i) => data.slice(i * CLASSES, (i + 1) * CLASSES));

/** Layers of a sample, logits, and labels of which the first row has none. */
export function layerNumbers(loss: Loss, sample: readonly (readonly number[])[], scale = 1): LossNumbers {
  const batch = sample[0]![0]!;
  return {
    studentLogits: rowsOf(drawn([batch, CLASSES], 'logits', 2 * scale)),
    teacherLogits: [],
    labels: Array.from({ length: batch }, (_, row) =>
      Array.from({ length: CLASSES }, (_, c) => Number(row > 0 && c === row % CLASSES)),
    ),
    temperature: loss.temperature ?? 1,
    layers: sample.map((dims, i) => drawn(dims, `layer${i}`, scale)),
  };
}

/** A Program that trains logits (`logits`) and layers (`layer0`, ...) themselves, besides what the loss owns. */
export function layerProgram(loss: Loss, numbers: LossNumbers, options: Record<string, unknown>): Program {
  const b = new GraphBuilder();
  const put = (name: string, { dims, data }: NumberArray): string =>
    b.initializer(name, tensor('float32', dims, data));
  const batch = numbers.studentLogits.length;
  const perClass = (name: string, rows: LossNumbers['labels']): string =>
    put(name, { dims: [batch, CLASSES], data: rows.flat() });
  const parts = new CollectedParts(b, SEED);
  const layers = numbers.layers!.map((layer, i) => put(`layer${i}`, layer));
  const studentLogits = perClass('logits', numbers.studentLogits);
  const value = loss.build(
    {
      b,
      studentLogits,
      labels: perClass('labels', numbers.labels),
      layers,
      temperature: b.constant(numbers.temperature),
      own: parts.of('test'),
    },
    options,
  );
  return lossProgram(b, value, [studentLogits, ...layers], parts);
}

/** What the loss owns, by the names it gave. */
export const ownOf = ({ graph, parameters }: Program): Record<string, NumberArray> =>
  Object.fromEntries(
    parameters
      .filter(({ owner }) => owner === 'objective')
      .map(({ name }) => {
        const value = graph.initializers.get(name)!;
        return [name.slice(PREFIX.length), { dims: value.dims, data: numbersOf(value) }];
      }),
  );

/** The name of something the loss owns, among the parameters. */
export const ownName = (name: string): string => PREFIX + name;
