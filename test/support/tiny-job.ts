import { sharpDecoder } from '../../src/adapters/images/sharp-decoder.ts';
import { kernelsOn } from '../../src/adapters/kernels/index.ts';
import { onnxruntime } from '../../src/adapters/runtime/onnxruntime.ts';
import { MemoryBlobs } from '../../src/adapters/storage/memory-blobs.ts';
import { MemoryJobs } from '../../src/adapters/storage/memory-jobs.ts';
import { systemClock } from '../../src/adapters/system-clock.ts';
import { GraphBuilder } from '../../src/core/onnx/builder.ts';
import { encodeModel } from '../../src/core/onnx/encode.ts';
import { tensor } from '../../src/core/onnx/tensor.ts';
import { Random } from '../../src/core/random.ts';
import type { Source } from '../../src/data/format.ts';
import type { JourneyRequest } from '../../src/pipeline/run.ts';
import type { Tools } from '../../src/pipeline/stage.ts';
import { parseSpec } from '../../src/spec/parse-spec.ts';
import { resolveSpec } from '../../src/spec/resolve-spec.ts';
import { memorySource } from './data-files.ts';

const SIDE = 8;
const CLASSES = 4;

export interface TinyTeacher {
  /** How the graph ends after its class scores. */
  readonly tail?: 'logits' | 'softmax' | 'argmax';
  readonly layout?: 'NCHW' | 'NHWC';
  readonly batch?: 'N' | 1;
  /** Scores negated: the best class is named last. */
  readonly wrong?: boolean;
  /** Height and width of its pictures. */
  readonly side?: number;
  /** Per output the class it speaks of; -1 for none. */
  readonly outputs?: readonly number[];
  /** How sure it is. */
  readonly gain?: number;
}

/** A teacher that is right by construction: grey 8x8 pictures 0..255, the class is the quadrant that is brightest. */
export function tinyTeacher({
  tail = 'logits',
  layout = 'NCHW',
  batch = 'N',
  wrong = false,
  side = SIDE,
  outputs = [0, 1, 2, 3],
  gain = 0.004,
}: TinyTeacher = {}) {
  const b = new GraphBuilder();
  const x = b.input(
    'picture',
    'float32',
    layout === 'NCHW' ? [batch, 1, side, side] : [batch, side, side, 1],
  );
  const flat = b.op('Flatten', [x], { axis: 1 });
  const count = outputs.length;
  const weights = Float32Array.from({ length: side * side * count }, (_, i) => {
    const pixel = Math.floor(i / count);
    const value = quadrantOf(pixel, side) === outputs[i % count] ? gain * (SIDE / side) ** 2 : 0;
    return wrong ? -value : value;
  });
  const w = b.initializer('weights', tensor('float32', [side * side, count], weights));
  const bias = b.initializer('bias', tensor('float32', [count], new Float32Array(count)));
  const logits = b.op('Gemm', [flat, w, bias], {}, { outputs: [tail === 'logits' ? 'scores' : 'logits'] });
  if (tail === 'softmax') b.op('Softmax', [logits], { axis: 1 }, { outputs: ['scores'] });
  if (tail === 'argmax') b.op('ArgMax', [logits], { axis: 1, keepdims: 0 }, { outputs: ['scores'] });
  b.output('scores');
  return encodeModel(b.model('tiny-teacher'));
}

const quadrantOf = (pixel: number, side = SIDE): number =>
  2 * Number(Math.floor(pixel / side) >= side / 2) + Number(pixel % side >= side / 2);

/** Pictures with one bright quadrant in noise, as the four files of an IDX dataset. */
export function tinyPictures(train = 320, test = 120): Source[] {
  return [...idxFiles('train', train, 1), ...idxFiles('t10k', test, 2)];
}

function idxFiles(prefix: string, rows: number, seed: number): Source[] {
  const pixels = new Uint8Array(16 + rows * SIDE * SIDE);
  pixels.set([0, 0, 8, 3, 0, 0, rows >> 8, rows & 255, 0, 0, 0, SIDE, 0, 0, 0, SIDE]);
  const labels = new Uint8Array(8 + rows);
  labels.set([0, 0, 8, 1, 0, 0, rows >> 8, rows & 255]);
  for (let row = 0; row < rows; row++) {
    const random = new Random(seed, 'picture', row);
    const label = row % CLASSES;
    labels[8 + row] = label;
    for (let i = 0; i < SIDE * SIDE; i++) {
      const noise = random.int(200);
      pixels[16 + row * SIDE * SIDE + i] = quadrantOf(i) === label ? Math.min(255, noise + 45) : noise;
    }
  }
  return [
    memorySource(`${prefix}-images-idx3-ubyte`, pixels),
    memorySource(`${prefix}-labels-idx1-ubyte`, labels),
  ];
}

export const tinySpec = (changes: object = {}) => ({
  version: 1,
  student: { architecture: 'mlp', hidden: [8] },
  train: { epochs: 4, batchSize: 16, optimizer: { name: 'adam', learningRate: 0.03 } },
  ...changes,
});

/** Everything in memory. */
export const memoryTools = (): Tools => ({
  blobs: new MemoryBlobs(),
  jobs: new MemoryJobs(),
  runtime: onnxruntime,
  kernels: kernelsOn(onnxruntime),
  pictures: sharpDecoder(),
  clock: systemClock,
});

export function tinyRequest(
  spec: object = tinySpec(),
  teacher: Uint8Array = tinyTeacher(),
  companions: Readonly<Record<string, Uint8Array>> = {},
): JourneyRequest {
  const requested = parseSpec(spec);
  return {
    upload: {
      teacher: memorySource('teacher.onnx', teacher),
      companions: Object.entries(companions).map(([name, bytes]) => memorySource(name, bytes)),
      data: tinyPictures(),
    },
    requested,
    spec: resolveSpec(requested, {
      kernels: { onnxruntime: { available: true }, tfjs: { available: true } },
      devices: { cpu: { available: true } },
    }),
    signal: new AbortController().signal,
  };
}
