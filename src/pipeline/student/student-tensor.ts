import type { Model } from '../../core/onnx/model.ts';
import { refuseUnknownTensor } from '../layers/refuse-unknown-tensor.ts';
import { OWN_PREFIX } from './adopt-student.ts';

/** The value of a trainable student that a spec means by a name: its own, or the one it had in the uploaded file. */
export function studentTensor(student: Model, name: string): string {
  const made = new Set(student.graph.nodes.flatMap((node) => node.outputs));
  const found = [name, OWN_PREFIX + name].find((each) => made.has(each));
  return found ?? refuseUnknownTensor('student', name, student, asWritten);
}

/** How a spec would name a value of a trainable student. */
export const asWritten = (name: string): string =>
  name.startsWith(OWN_PREFIX) ? name.slice(OWN_PREFIX.length) : name;
