import type { Model } from '../../src/core/onnx/model.ts';
import { resolveOptions } from '../../src/core/options.ts';
import { buildProgram } from '../../src/core/program/build-program.ts';
import type { Program } from '../../src/core/program/program.ts';
import { students } from '../../src/core/students/index.ts';
import type { StudentArchitecture, StudentPort } from '../../src/core/students/student.ts';
import { cnn } from './networks/cnn.ts';
import { gru } from './networks/gru.ts';
import { transformer } from './networks/transformer.ts';

export const CLASSES = 10;

/** A network with its data; bench/peers/pytorch_train.py has its twin under the same name. */
export interface Workload {
  readonly batch: number;
  /** One row. */
  readonly dims: readonly number[];
  /** Rows are token ids below this; without it they are floats. */
  readonly vocabulary?: number;
  /** Whether convolutions take most of its time: engines have other targets there. */
  readonly isConvolutional: boolean;
  student(port: StudentPort): Model;
}

const architecture =
  (name: keyof typeof students, options: Readonly<Record<string, unknown>>) =>
  (port: StudentPort): Model => {
    const student: StudentArchitecture = students[name];
    return student.build(port, resolveOptions(student.options, options, name), 0);
  };

export const workloads: Readonly<Record<string, Workload>> = {
  mlp: {
    batch: 128,
    dims: [784],
    isConvolutional: false,
    student: architecture('mlp', { hidden: [512, 256] }),
  },
  cnn: { batch: 64, dims: [1, 28, 28], isConvolutional: true, student: cnn },
  resnet20: {
    batch: 64,
    dims: [3, 32, 32],
    isConvolutional: true,
    student: architecture('resnet', { depth: 20, width: 16 }),
  },
  mobilenet: { batch: 64, dims: [3, 32, 32], isConvolutional: true, student: architecture('mobilenet', {}) },
  transformer: { batch: 32, dims: [64], vocabulary: 4000, isConvolutional: false, student: transformer },
  gru: { batch: 32, dims: [64], vocabulary: 4000, isConvolutional: false, student: gru },
};

/** 0.1 cross-entropy + 0.9 KL at T = 4 (with its T^2), Adam at 1e-3. */
export function programOf({ batch, dims, student }: Workload): Program {
  return buildProgram({
    student: student({ input: 'input', inputShape: dims, output: 'logits', classes: CLASSES }),
    terms: [
      { loss: 'cross-entropy', weight: 0.1, options: {} },
      { loss: 'kl', weight: 0.9, temperature: 4, options: { standardize: false } },
    ],
    batchSize: batch,
    optimizer: { name: 'adam', options: { learningRate: 1e-3 } },
  });
}
