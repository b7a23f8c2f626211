import Type, { type Static } from 'typebox';
import { refusesUnlessPicture, studentModel } from './define.ts';
import type { StudentArchitecture, StudentPort } from './student.ts';

const options = Type.Object(
  {
    widths: Type.Array(Type.Integer({ minimum: 1, maximum: 65_536 }), {
      maxItems: 64,
      default: [16, 32, 64],
      minItems: 1,
      description: 'channels per block; every block halves the picture',
    }),
    head: Type.Union([Type.Literal('average'), Type.Literal('flatten')], {
      default: 'average',
      description: 'how the last map becomes a vector: global average, or all its positions',
    }),
  },
  { additionalProperties: false },
);

const ladder: readonly Static<typeof options>[] = [
  [4, 8],
  [8, 8, 8],
  [8, 16],
  [8, 16, 16],
  [16, 16, 32],
  [16, 32, 64],
  [32, 64, 64],
  [32, 64, 128],
  [64, 128, 128],
  [64, 128, 256],
].map((widths) => ({ widths, head: 'average' }));

/** Blocks of 3x3 convolution, batch normalisation, ReLU and 2x2 max-pooling; then a linear classifier. */
export const convNet: StudentArchitecture<typeof options> = {
  name: 'conv-net',
  summary: 'plain convolutional blocks with max-pooling',
  citation:
    'Simonyan, Zisserman, "Very Deep Convolutional Networks", 2014, arXiv 1409.1556 (the block); arXiv 1502.03167 (BN)',
  options,
  refuses(port: StudentPort) {
    return refusesUnlessPicture(port);
  },
  build(port, { widths, head }, seed) {
    return studentModel('conv-net', port, seed, (layers, input) => {
      const top = widths.reduce((x, channels, i) => {
        const y = layers.relu(
          layers.batchNorm(`bn${i + 1}`, layers.conv(`conv${i + 1}`, x, channels, { kernel: 3 })),
          `block${i + 1}`,
        );
        const [, , height, width] = layers.shape(y) as number[];
        // A picture of one pixel cannot be halved again.
        return Math.min(height!, width!) >= 2 ? layers.maxPool(y) : y;
      }, input);
      const features = head === 'flatten' ? layers.flatten(top) : layers.globalAverage(top);
      layers.classifier(features, port.classes, port.output);
    });
  },
  ladder: () => ladder,
};
