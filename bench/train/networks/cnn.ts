import type { Model } from '../../../src/core/onnx/model.ts';
import { studentModel } from '../../../src/core/students/define.ts';
import type { StudentPort } from '../../../src/core/students/student.ts';

/** 28x28x1: conv3x3 32, conv3x3 64, max-pool 2, conv3x3 64, max-pool 2, linear 128, linear 10; ReLU; no normalisation. */
export const cnn = (port: StudentPort): Model =>
  studentModel('cnn', port, 0, (layers, input) => {
    const conv = (name: string, x: string, channels: number) =>
      layers.relu(layers.conv(name, x, channels, { kernel: 3, bias: true }));
    const first = layers.maxPool(conv('conv2', conv('conv1', input, 32), 64));
    const second = layers.flatten(layers.maxPool(conv('conv3', first, 64)));
    layers.classifier(layers.relu(layers.linear('fc1', second, 128)), port.classes, port.output);
  });
