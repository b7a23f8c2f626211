import { innerLayers } from '../../core/losses/inner-layers.ts';
import type { Model } from '../../core/onnx/model.ts';
import type { ObjectiveTerm } from '../../core/program/build-program.ts';
import { asWritten } from '../../core/students/own-names.ts';
import { RetortError } from '../../errors.ts';
import { studentTensor } from '../student/student-tensor.ts';
import type { Rows } from '../training/open-rows.ts';
import { studentEnds } from './look-at-layers.ts';

/** The terms with names in the place of `auto` where they read layers of the student alone. */
export function findOwnLayers(
  terms: readonly ObjectiveTerm[],
  student: Model,
  { input }: Pick<Rows, 'input'>,
): readonly ObjectiveTerm[] {
  return terms.map((term) => {
    if (term.at !== 'auto') return term;
    const found = innerLayers(studentEnds(student, input.dims));
    if (found.length < 2) refuse(term.loss, found.length);
    return { ...term, at: found.map(({ name }) => asWritten(name)) };
  });
}

/** The terms with the names that this student's training graph has for its layers. */
export const withOwnLayers = (terms: readonly ObjectiveTerm[], student: Model): readonly ObjectiveTerm[] =>
  terms.map((term) =>
    term.at && term.at !== 'auto'
      ? { ...term, at: term.at.map((name) => studentTensor(student, name)) }
      : term,
  );

function refuse(loss: string, count: number): never {
  throw new RetortError(
    'SPEC_INVALID',
    `/objective/terms: "${loss}" teaches inner layers by the deepest one, and the student has ${count === 0 ? 'no layer in front of its logits' : 'only one layer in front of its logits'}`,
    { hint: 'Take a deeper student, or name tensors of it in "at" of that term, the deepest one last.' },
  );
}
