import Type from 'typebox';
import { closed } from './closed.ts';

const Fraction = Type.Number({ minimum: 0, maximum: 1 });

/**
 * Rows of a given split, in the order of their source names within each class: [from, to) of every class. `test` takes its
 * rows first, from any split; `train` and `validation` count those that are left.
 */
export const Selection = Type.Object(
  {
    from: Type.Optional(
      Type.Union([Type.Literal('train'), Type.Literal('validation'), Type.Literal('test')]),
    ),
    perClass: Type.Optional(Type.Tuple([Type.Integer({ minimum: 0 }), Type.Integer({ minimum: 1 })])),
    fraction: Type.Optional(Fraction),
  },
  closed,
);

export const Labels = Type.Object(
  {
    column: Type.Optional(Type.String()),
    /** Class name to index of the teacher's output; default: classes in sorted order. */
    classes: Type.Optional(Type.Record(Type.String(), Type.Integer({ minimum: 0 }))),
  },
  closed,
);

export const Data = Type.Object(
  {
    format: Type.Optional(Type.String()),
    options: Type.Optional(Type.Record(Type.String(), Type.Unknown())),
    train: Type.Optional(Selection),
    validation: Type.Optional(Selection),
    test: Type.Optional(Selection),
    /**
     * Training rows whose labels may be used, counted in their given split; the rest count as unlabelled: the student
     * still learns from the teacher there, the control does not see them. Default: all that have one.
     */
    labelled: Type.Optional(Selection),
    /** Share of rows that may be unreadable before the job is refused. */
    maxRejects: Type.Optional(Fraction),
  },
  closed,
);
