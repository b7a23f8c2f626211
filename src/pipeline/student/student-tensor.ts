import type { Model } from '../../core/onnx/model.ts';
import { asWritten, OWN_PREFIX } from '../../core/students/own-names.ts';
import { refuseUnknownTensor } from '../layers/refuse-unknown-tensor.ts';

/** The value of a trainable student that a spec means by a name: its own, or the one it had in the uploaded file. */
export function studentTensor(student: Model, name: string): string {
  const made = new Set(student.graph.nodes.flatMap((node) => node.outputs));
  const found = [name, OWN_PREFIX + name].find((each) => made.has(each));
  return found ?? refuseUnknownTensor('student', name, student, asWritten);
}
