import type { Model } from '../../core/onnx/model.ts';
import type { Snapshot } from '../../core/program/kernel.ts';
import { invariant } from '../../errors.ts';

/**
 * The student with its trained numbers put back: parameters and running statistics, moving averages where asked.
 * Nothing else changes; it is still the training graph.
 */
export function withSnapshot(student: Model, { tensors }: Snapshot, average: boolean): Model {
  const initializers = new Map(student.graph.initializers);
  for (const [name, initial] of student.graph.initializers) {
    const trained = (average ? tensors.get(`ema:${name}`) : undefined) ?? tensors.get(name);
    if (!trained) continue;
    invariant(trained.dims.join() === initial.dims.join(), `the trained "${name}" has another shape`);
    initializers.set(name, trained);
  }
  return { ...student, graph: { ...student.graph, initializers } };
}
