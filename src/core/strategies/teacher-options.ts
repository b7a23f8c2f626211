import Type, { type Static } from 'typebox';
import { RetortError } from '../../errors.ts';
import type { FurtherTeacher } from '../ensemble/ensemble.ts';
import { Preprocess } from '../preprocess.ts';

const Output = Type.Integer({ minimum: 0 });

/** One further teacher, as a strategy's options name it. */
const further = {
  file: Type.String({ minLength: 1, description: 'the ONNX file, by the name it came with' }),
  inputs: Type.Optional(
    Type.Record(Type.String(), Preprocess, {
      description: "how its inputs are fed, as the spec's `inputs` says it of the job's teacher",
    }),
  ),
  labels: Type.Optional(
    Type.Record(Type.String(), Type.Union([Output, Type.Array(Output, { minItems: 1 })]), {
      minProperties: 2,
      description:
        'class of the dataset to the output of this teacher that speaks of it, or several that do; classes left out it knows nothing of. Default: its outputs are those of the job',
    }),
  ),
};

const closed = { additionalProperties: false } as const;
const Weight = (description: string) => Type.Optional(Type.Number({ exclusiveMinimum: 0, description }));

/** Teachers with a weight of their own. */
export const weightedTeachers = Type.Array(
  Type.Object({ ...further, weight: Weight('1 if left out') }, closed),
  { minItems: 1, maxItems: 15, description: "teachers besides the job's own" },
);

/** Clients of a federation with the rows each has learned from. */
export const clients = Type.Array(
  Type.Object({ ...further, samples: Weight('rows it has learned from; its weight') }, closed),
  { minItems: 1, maxItems: 15, description: "client models besides the job's teacher, which is the first" },
);

/**
 * Teachers of options as those of an Ensemble; SPEC_INVALID where two are the same file or an output speaks of two
 * classes.
 */
export function furtherTeachers(
  strategy: string,
  list: readonly (Static<typeof weightedTeachers>[number] & { readonly samples?: number })[],
): readonly FurtherTeacher[] {
  const refuse = (why: string, hint: string): never => {
    throw new RetortError('SPEC_INVALID', `/strategy: "${strategy}" ${why}`, { hint });
  };
  const files = list.map(({ file }) => file);
  const twice = files.find((file, i) => files.indexOf(file) !== i);
  if (twice !== undefined) refuse(`names "${twice}" twice`, 'Raise its weight instead.');
  return list.map(({ file, inputs = {}, labels, weight, samples }) => {
    const outputs = Object.values(labels ?? {}).flat();
    const shared = outputs.find((output, i) => outputs.indexOf(output) !== i);
    if (shared !== undefined) {
      refuse(
        `gives output ${shared} of "${file}" to two classes`,
        'A teacher that does not tell two classes apart has no opinion on either: leave both out.',
      );
    }
    return { file, inputs, ...(labels ? { labels } : {}), weight: weight ?? samples ?? 1 };
  });
}
