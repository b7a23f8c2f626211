import { losses } from '../../core/losses/index.ts';
import type { Loss } from '../../core/losses/loss.ts';
import { pairLayers } from '../../core/losses/pair-layers.ts';
import { centredGram, linearCka } from '../../core/metrics/linear-cka.ts';
import type { LayerEnd } from '../../core/onnx/layer-ends.ts';
import type { Model } from '../../core/onnx/model.ts';
import { entryOf } from '../../core/options.ts';
import type { ObjectiveTerm } from '../../core/program/build-program.ts';
import { asWritten } from '../../core/students/own-names.ts';
import { RetortError } from '../../errors.ts';
import { notFiniteRows } from '../not-finite-rows.ts';
import type { Results } from '../results.ts';
import type { StageContext } from '../stage.ts';
import type { Rows } from '../training/open-rows.ts';
import { lookAtLayers } from './look-at-layers.ts';
import { refuseNotFiniteTensor } from './refuse-not-finite-tensor.ts';

/**
 * The terms with names in the place of `auto`: layers of like depth, the most alike on some training rows. Layers that come into
 * question have to be finite: beside a NaN none is more alike than another.
 */
export async function matchLayers(
  sides: { readonly student: Model; readonly rows: Rows },
  done: Pick<Results, 'inspect'>,
  context: StageContext,
): Promise<readonly ObjectiveTerm[]> {
  const { terms } = context.spec.objective;
  if (!terms.some(isOpen)) return terms;
  const { student, teacher, rows } = await lookAtLayers(sides, done, context);
  const grams = new Map<LayerEnd, Float64Array>();
  const gramOf = (
    layers: ReadonlyMap<LayerEnd, Float32Array>,
    end: LayerEnd,
    refuse: typeof refuseNotFiniteTensor,
  ): Float64Array => {
    const known = grams.get(end);
    if (known) return known;
    const values = layers.get(end)!;
    refuse(end.name, values, rows);
    const gram = centredGram(values, rows);
    grams.set(end, gram);
    return gram;
  };
  const likeness = (ours: LayerEnd, theirs: LayerEnd): number =>
    linearCka(gramOf(student, ours, refuseNotFiniteLayer), gramOf(teacher, theirs, refuseNotFiniteTensor));
  return terms.map((term) => {
    if (!isOpen(term)) return term;
    const { features } = entryOf<Loss>(losses, term.loss, 'loss');
    const pairs = pairLayers([...student.keys()], [...teacher.keys()], features!, likeness);
    if (pairs.length === 0) refuse(term.loss, student, teacher);
    return {
      ...term,
      from: pairs.map((pair) => pair.teacher.name),
      to: pairs.map((pair) => asWritten(pair.student.name)),
      likeness: pairs.map((pair) => Number(pair.likeness.toFixed(4))),
    };
  });
}

/** `refuseNotFiniteTensor` for a layer of the untrained student. */
function refuseNotFiniteLayer(name: string, values: Float32Array, rows: number): void {
  const bad = notFiniteRows(values, rows).length;
  if (bad === 0) return;
  throw new RetortError(
    'STUDENT_UNFIT',
    `the untrained student's layer "${asWritten(name)}" holds infinities or what is not a number in ${bad} of ${rows} rows`,
    { hint: 'Look at inputs (scale, mean, std), and at the weights of a student that was uploaded.' },
  );
}

const isOpen = ({ from }: ObjectiveTerm): boolean => from === 'auto';

function refuse(
  loss: string,
  student: ReadonlyMap<LayerEnd, unknown>,
  teacher: ReadonlyMap<LayerEnd, unknown>,
): never {
  const listed = (whose: string, ends: ReadonlyMap<LayerEnd, unknown>): string[] =>
    [...ends.keys()].map(({ name, dims }) => `${whose} layer "${name}" [N, ${dims.join(', ')}]`);
  throw new RetortError(
    'SPEC_INVALID',
    `/objective/terms: "${loss}" finds no layers of both that it can compare`,
    {
      hint: 'Name tensors in "from" and "to" of that term, or choose another loss.',
      problems: [...listed('teacher', teacher), ...listed('student', student)],
    },
  );
}
