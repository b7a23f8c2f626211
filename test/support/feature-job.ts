import { GraphBuilder } from '../../src/core/onnx/builder.ts';
import { encodeModel } from '../../src/core/onnx/encode.ts';
import { tensor } from '../../src/core/onnx/tensor.ts';
import { Random } from '../../src/core/random.ts';

/**
 * A teacher with hidden layers for the tiny pictures, right by construction: 2x2 windows are added up by one channel of a
 * convolution and mixed by the others; the class is the brightest quadrant of the first channel. Values: `stem`
 * [N, 6, 4, 4], `deep` [N, 5, 2, 2], `vector` [N, 20], `scores` [N, 4].
 */
export function layeredTeacher(batch: 'N' | 1 = 'N'): Uint8Array {
  const b = new GraphBuilder();
  const x = b.input('picture', 'float32', [batch, 1, 8, 8]);
  const random = new Random(5, 'teacher');
  const kernel = (channels: number, inputs: number, scale: number): Float32Array =>
    Float32Array.from({ length: channels * inputs * 4 }, (_, i) => {
      const [out, into] = [Math.floor(i / (inputs * 4)), Math.floor(i / 4) % inputs];
      if (out === 0) return into === 0 ? scale : 0;
      return scale * random.normal();
    });
  const conv = (from: string, channels: number, inputs: number, scale: number, name: string): string => {
    const w = b.initializer(
      `${name}.w`,
      tensor('float32', [channels, inputs, 2, 2], kernel(channels, inputs, scale)),
    );
    const y = b.op('Conv', [from, w], { kernel_shape: [2, 2], strides: [2, 2] });
    return b.op('Relu', [y], {}, { outputs: [name] });
  };
  const deep = conv(conv(x, 6, 1, 1 / 255, 'stem'), 5, 6, 0.25, 'deep');
  const vector = b.op('Flatten', [deep], { axis: 1 }, { outputs: ['vector'] });
  const pick = Float32Array.from({ length: 20 * 4 }, (_, i) => (Math.floor(i / 4) === i % 4 ? 8 : 0));
  const w = b.initializer('pick', tensor('float32', [20, 4], pick));
  const bias = b.initializer('bias', tensor('float32', [4], [0, 0, 0, 0]));
  b.output(b.op('Gemm', [vector, w, bias], {}, { outputs: ['scores'] }));
  return encodeModel(b.model('layered-teacher'));
}
