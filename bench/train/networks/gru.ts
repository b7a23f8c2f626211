import { GraphBuilder } from '../../../src/core/onnx/builder.ts';
import type { Model } from '../../../src/core/onnx/model.ts';
import type { StudentPort } from '../../../src/core/students/student.ts';
import { Parameters } from './parameters.ts';

const VOCABULARY = 4000;
const WIDTH = 64;

/** Token ids [N, T] to class scores: embedding 64, GRU of 64 units both ways, mean over steps, linear. */
export function gru(port: StudentPort): Model {
  const b = new GraphBuilder();
  const [steps] = port.inputShape as [number];
  const p = new Parameters(b);
  const ids = b.input(port.input, 'int64', ['N', steps]);
  const tokens = b.op('Gather', [p.normal('tokens.weight', [VOCABULARY, WIDTH], 1), ids], { axis: 0 });
  const x = b.op('Transpose', [tokens], { perm: [1, 0, 2] });
  const deviation = Math.sqrt(1 / WIDTH);
  const parameters = [
    p.normal('gru.w', [2, 3 * WIDTH, WIDTH], deviation),
    p.normal('gru.r', [2, 3 * WIDTH, WIDTH], deviation),
    p.fill('gru.b', [2, 6 * WIDTH], 0),
  ];
  const attributes = { hidden_size: WIDTH, direction: 'bidirectional', linear_before_reset: 1 };
  const y = b.op('GRU', [x, ...parameters], attributes);
  // [T, 2, N, H] -> [N, T, 2 H]
  const sides = b.op('Transpose', [y], { perm: [0, 2, 1, 3] });
  const joined = b.op('Reshape', [sides, b.ints([steps, -1, 2 * WIDTH])]);
  const first = b.op('Transpose', [joined], { perm: [1, 0, 2] });
  const mean = b.op('ReduceMean', [first, b.ints([1])], { keepdims: 0 });
  b.output(p.classifier(mean, port.classes, port.output));
  return b.model('gru');
}
