import Type, { type Static } from 'typebox';
import { studentModel } from './define.ts';
import type { StudentArchitecture, StudentPort } from './student.ts';

const options = Type.Object(
  {
    hidden: Type.Array(Type.Integer({ minimum: 1, maximum: 65_536 }), {
      default: [128, 64],
      maxItems: 64,
      description: 'units per hidden layer',
    }),
    dropout: Type.Number({
      default: 0,
      minimum: 0,
      exclusiveMaximum: 1,
      description: 'share of hidden units dropped',
    }),
  },
  { additionalProperties: false },
);

const ladder: readonly Static<typeof options>[] = [
  [8],
  [16],
  [32],
  [32, 16],
  [64],
  [64, 32],
  [128, 64],
  [256, 128],
  [512, 256],
].map((hidden) => ({ hidden, dropout: 0 }));

/** Fully connected layers with ReLU: any input shape, flattened to [N, D]. No hidden layer gives a linear classifier. */
export const mlp: StudentArchitecture<typeof options> = {
  name: 'mlp',
  summary: 'fully connected layers with ReLU',
  citation: 'Goodfellow, Bengio, Courville, "Deep Learning", 2016, chapter 6',
  options,
  refuses: () => undefined,
  build(port: StudentPort, { hidden, dropout }, seed) {
    return studentModel('mlp', port, seed, (layers, input) => {
      const top = hidden.reduce(
        (x, units, i) =>
          layers.dropout(
            `drop${i + 1}`,
            layers.relu(layers.linear(`fc${i + 1}`, x, units), `hidden${i + 1}`),
            dropout,
          ),
        layers.flatten(input),
      );
      layers.classifier(top, port.classes, port.output);
    });
  },
  ladder: () => ladder,
};
