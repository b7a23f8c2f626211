import { nearest } from '../../core/nearest.ts';
import type { Model } from '../../core/onnx/model.ts';
import { RetortError } from '../../errors.ts';

const LISTED = 40;

/** SPEC_INVALID for a tensor that a graph does not have, with the nearest one and the others it has. */
export function refuseUnknownTensor(
  whose: 'teacher' | 'student',
  name: string,
  model: Model,
  shown: (name: string) => string = (each) => each,
): never {
  const known = model.graph.nodes
    .flatMap((node) => node.outputs.slice(0, 1))
    .filter((each) => each !== '')
    .map(shown);
  const near = nearest(name, known);
  throw new RetortError('SPEC_INVALID', `/objective/terms: the ${whose} has no tensor "${name}"`, {
    hint: near === undefined ? 'The problems list tensors it has.' : `Did you mean "${near}"?`,
    problems: known.slice(-LISTED).map((each) => `${whose} tensor "${each}"`),
  });
}
