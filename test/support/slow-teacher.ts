import { GraphBuilder } from '../../src/core/onnx/builder.ts';
import { encodeModel } from '../../src/core/onnx/encode.ts';
import { tensor } from '../../src/core/onnx/tensor.ts';
import { Random } from '../../src/core/random.ts';

const [SIDE, CLASSES, WIDTH, DEPTH] = [8, 4, 1024, 4];

/** The tiny teacher with a ballast of 4 million multiplications a row, which moves its scores by less than a thousandth. */
export function slowTeacher(): Uint8Array {
  const b = new GraphBuilder();
  const flat = b.op('Flatten', [b.input('picture', 'float32', ['N', 1, SIDE, SIDE])], { axis: 1 });
  const random = new Random(5, 'ballast');
  const drawn = (name: string, rows: number, columns: number) => {
    const values = Float32Array.from({ length: rows * columns }, () => random.normal() * 1e-4);
    return b.initializer(name, tensor('float32', [rows, columns], values));
  };
  const quadrants = Float32Array.from({ length: SIDE * SIDE * CLASSES }, (_, i) => {
    const pixel = Math.floor(i / CLASSES);
    const [row, column] = [Math.floor(pixel / SIDE), pixel % SIDE];
    return 2 * Number(row >= SIDE / 2) + Number(column >= SIDE / 2) === i % CLASSES ? 0.004 : 0;
  });
  const weights = b.initializer('weights', tensor('float32', [SIDE * SIDE, CLASSES], quadrants));
  let ballast = b.op('MatMul', [flat, drawn('widen', SIDE * SIDE, WIDTH)]);
  const square = drawn('square', WIDTH, WIDTH);
  for (let layer = 0; layer < DEPTH; layer++) ballast = b.op('MatMul', [ballast, square]);
  const narrowed = b.op('MatMul', [ballast, drawn('narrow', WIDTH, CLASSES)]);
  b.op('Add', [b.op('MatMul', [flat, weights]), narrowed], {}, { outputs: ['scores'] });
  b.output('scores');
  return encodeModel(b.model('slow-teacher'));
}
