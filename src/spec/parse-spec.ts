import { RetortError } from '../errors.ts';
import { outsideFloat32 } from './outside-float32.ts';
import { problemsOf } from './problems.ts';
import { Spec } from './spec.ts';

/** A spec as the user wrote it, checked against the schema; SPEC_INVALID with every problem and its path. */
export function parseSpec(value: unknown): Spec {
  const broken = problemsOf(Spec, value);
  const problems = broken.length > 0 ? broken : outsideFloat32(value);
  if (problems.length > 0) {
    throw new RetortError('SPEC_INVALID', `the spec is wrong: ${problems[0]}`, {
      problems,
      hint: 'Paths name the place in the spec; `retort students|losses|optimizers|...` lists what is known.',
    });
  }
  return value as Spec;
}
