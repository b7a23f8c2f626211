import Type, { type Static } from 'typebox';
import { refusesUnlessPicture, stemStride, studentModel } from './define.ts';
import type { Layers } from './layers.ts';
import type { StudentArchitecture, StudentPort } from './student.ts';

const options = Type.Object(
  {
    depth: Type.Integer({
      default: 8,
      enum: Array.from({ length: 18 }, (_, n) => 6 * (n + 1) + 2),
      description: 'layers, 6 n + 2: 8, 14, 20, ... 110',
    }),
    width: Type.Integer({
      default: 16,
      minimum: 1,
      maximum: 16_384,
      description: 'channels of the first stage; the next have 2x and 4x',
    }),
  },
  { additionalProperties: false },
);

const ladder: readonly Static<typeof options>[] = [
  [8, 4],
  [8, 8],
  [8, 12],
  [8, 16],
  [14, 16],
  [20, 16],
  [32, 16],
  [20, 32],
  [20, 64],
].map(([depth, width]) => ({ depth: depth!, width: width! }));

/** Two 3x3 convolutions with a shortcut; the shortcut is a 1x1 convolution with BN where the shape changes (option B). */
function basicBlock(layers: Layers, name: string, x: string, channels: number, stride: number): string {
  const first = layers.relu(
    layers.batchNorm(`${name}.bn1`, layers.conv(`${name}.conv1`, x, channels, { kernel: 3, stride })),
  );
  const second = layers.batchNorm(
    `${name}.bn2`,
    layers.conv(`${name}.conv2`, first, channels, { kernel: 3 }),
  );
  const same = stride === 1 && layers.channels(x) === channels;
  const shortcut = same
    ? x
    : layers.batchNorm(
        `${name}.shortcut.bn`,
        layers.conv(`${name}.shortcut.conv`, x, channels, { kernel: 1, stride }),
      );
  return layers.relu(layers.add(second, shortcut), name);
}

/** The CIFAR-style residual network: a 3x3 stem, three stages of basic blocks, global average, linear classifier. */
export const resnet: StudentArchitecture<typeof options> = {
  name: 'resnet',
  summary: 'CIFAR-style residual network (depth 6 n + 2, three stages)',
  citation:
    'He, Zhang, Ren, Sun, "Deep Residual Learning for Image Recognition", 2015, arXiv 1512.03385, section 4.2',
  options,
  refuses(port: StudentPort) {
    return refusesUnlessPicture(port);
  },
  build(port, { depth, width }, seed) {
    const blocks = (depth - 2) / 6;
    return studentModel('resnet', port, seed, (layers, input) => {
      const stride = stemStride(port.inputShape[1]!);
      let x = layers.relu(
        layers.batchNorm('stem.bn', layers.conv('stem.conv', input, width, { kernel: 3, stride })),
        'stem',
      );
      for (const stage of [0, 1, 2]) {
        for (let block = 0; block < blocks; block++) {
          const down = stage > 0 && block === 0 ? 2 : 1;
          x = basicBlock(layers, `stage${stage + 1}.block${block + 1}`, x, width << stage, down);
        }
      }
      layers.classifier(layers.globalAverage(x), port.classes, port.output);
    });
  },
  ladder: () => ladder,
};
