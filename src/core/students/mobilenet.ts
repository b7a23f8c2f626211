import Type, { type Static } from 'typebox';
import { refusesUnlessPicture, scaledChannels, stemStride, studentModel } from './define.ts';
import type { Layers } from './layers.ts';
import type { StudentArchitecture, StudentPort } from './student.ts';

const options = Type.Object(
  {
    width: Type.Number({
      default: 1,
      exclusiveMinimum: 0,
      maximum: 4,
      description: 'multiplies every channel count',
    }),
  },
  { additionalProperties: false },
);

const EXPANSION = 4;
/** Channels and stride of the inverted residuals, for pictures of about 32 pixels. */
const BLOCKS = [
  [16, 1],
  [24, 2],
  [24, 1],
  [40, 2],
  [40, 1],
  [64, 2],
] as const;

const ladder: readonly Static<typeof options>[] = [0.25, 0.35, 0.5, 0.75, 1, 1.4, 2, 3, 4].map((width) => ({
  width,
}));

/** 1x1 expansion, 3x3 depthwise, 1x1 projection without activation; a shortcut where shape and stride allow. */
function invertedResidual(layers: Layers, name: string, x: string, channels: number, stride: number): string {
  const inside = layers.channels(x) * EXPANSION;
  const wide = layers.relu6(
    layers.batchNorm(`${name}.expand.bn`, layers.conv(`${name}.expand.conv`, x, inside, { kernel: 1 })),
  );
  const depthwise = layers.conv(`${name}.depthwise.conv`, wide, inside, {
    kernel: 3,
    stride,
    groups: inside,
  });
  const filtered = layers.relu6(layers.batchNorm(`${name}.depthwise.bn`, depthwise));
  const narrow = layers.batchNorm(
    `${name}.project.bn`,
    layers.conv(`${name}.project.conv`, filtered, channels, { kernel: 1 }),
  );
  return stride === 1 && layers.channels(x) === channels ? layers.add(x, narrow, name) : narrow;
}

/** MobileNetV2 for small pictures: fewer stages and strides than the ImageNet network, expansion 4. */
export const mobilenet: StudentArchitecture<typeof options> = {
  name: 'mobilenet',
  summary: 'inverted residuals with depthwise convolutions (width multiplier)',
  citation:
    'Sandler et al., "MobileNetV2: Inverted Residuals and Linear Bottlenecks", 2018, arXiv 1801.04381',
  options,
  refuses(port: StudentPort) {
    return refusesUnlessPicture(port);
  },
  build(port, { width }, seed) {
    return studentModel('mobilenet', port, seed, (layers, input) => {
      const stem = { kernel: 3, stride: stemStride(port.inputShape[1]!) };
      let x = layers.conv('stem.conv', input, scaledChannels(32, width), stem);
      x = layers.relu6(layers.batchNorm('stem.bn', x), 'stem');
      BLOCKS.forEach(([channels, stride], i) => {
        x = invertedResidual(layers, `block${i + 1}`, x, scaledChannels(channels, width), stride);
      });
      x = layers.conv('head.conv', x, scaledChannels(128, width), { kernel: 1 });
      x = layers.relu6(layers.batchNorm('head.bn', x), 'head');
      layers.classifier(layers.globalAverage(x), port.classes, port.output);
    });
  },
  ladder: () => ladder,
};
