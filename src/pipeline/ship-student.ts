import type { Model } from '../core/onnx/model.ts';
import { STUDENT_INPUT, STUDENT_LOGITS } from './build-student.ts';
import { forInference } from './trained-model.ts';

export interface Shipped {
  readonly model: Model;
  /** The same graph with the logits as one more output. */
  readonly tapped: Model;
  readonly logits: string;
}

/** The trained student as what the user gets: the teacher's names, types and post-operations. */
export function shipStudent(trained: Model, teacher: Model, input: string, output: string): Shipped {
  const inference = forInference(trained);
  const rename = (name: string) => (name === STUDENT_INPUT ? input : name === STUDENT_LOGITS ? output : name);
  const { graph } = inference;
  const renamed: Model = {
    ...inference,
    graph: {
      ...graph,
      name: teacher.graph.name,
      inputs: graph.inputs.map((value) => ({ ...value, name: rename(value.name) })),
      outputs: graph.outputs.map((value) => ({ ...value, name: rename(value.name) })),
      nodes: graph.nodes.map((node) => ({
        ...node,
        inputs: node.inputs.map(rename),
        outputs: node.outputs.map(rename),
      })),
    },
  };
  return { model: renamed, tapped: renamed, logits: output };
}
