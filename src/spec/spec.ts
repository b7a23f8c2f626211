import Type, { type Static } from 'typebox';

/** Spec v1: what a user asks for (docs/adr/0002). Closed: unknown keys are refused. */

const Fraction = Type.Number({ minimum: 0, maximum: 1 });
const closed = { additionalProperties: false } as const;

/** Rows of a given split, in the order of their source names within each class: [from, to) of every class. */
const Selection = Type.Object(
  {
    from: Type.Optional(
      Type.Union([Type.Literal('train'), Type.Literal('validation'), Type.Literal('test')]),
    ),
    perClass: Type.Optional(Type.Tuple([Type.Integer({ minimum: 0 }), Type.Integer({ minimum: 1 })])),
    fraction: Type.Optional(Fraction),
  },
  closed,
);

export const Preprocess = Type.Object(
  {
    column: Type.Optional(Type.String()),
    /** Height and width pictures are resized to. Default: the teacher's input. */
    size: Type.Optional(Type.Tuple([Type.Integer({ minimum: 1 }), Type.Integer({ minimum: 1 })])),
    layout: Type.Optional(Type.Union([Type.Literal('NCHW'), Type.Literal('NHWC')])),
    colour: Type.Optional(Type.Union([Type.Literal('RGB'), Type.Literal('BGR'), Type.Literal('grey')])),
    /** x -> (x * scale - mean) / std, per channel. */
    scale: Type.Optional(Type.Number()),
    mean: Type.Optional(Type.Array(Type.Number())),
    std: Type.Optional(Type.Array(Type.Number({ exclusiveMinimum: 0 }))),
  },
  closed,
);

const Named = Type.Object({ name: Type.String() });

export const Spec = Type.Object(
  {
    version: Type.Literal(1),
    /** By teacher input name; one entry may be left out when the teacher has one input. */
    inputs: Type.Optional(Type.Record(Type.String(), Preprocess)),
    labels: Type.Optional(
      Type.Object(
        {
          column: Type.Optional(Type.String()),
          /** Class name to index of the teacher's output; default: classes in sorted order. */
          classes: Type.Optional(Type.Record(Type.String(), Type.Integer({ minimum: 0 }))),
        },
        closed,
      ),
    ),
    data: Type.Optional(
      Type.Object(
        {
          format: Type.Optional(Type.String()),
          options: Type.Optional(Type.Record(Type.String(), Type.Unknown())),
          train: Type.Optional(Selection),
          validation: Type.Optional(Selection),
          test: Type.Optional(Selection),
          /** Training rows whose labels may be used; the rest count as unlabelled. Default: all that have one. */
          labelled: Type.Optional(Selection),
          maxRejects: Type.Optional(Fraction),
        },
        closed,
      ),
    ),
    teacherQuality: Type.Optional(Type.Object({ override: Type.Optional(Type.Boolean()) }, closed)),
    student: Type.Optional(Type.Unknown()),
    strategy: Type.Optional(Named),
    objective: Type.Optional(Type.Unknown()),
    train: Type.Optional(Type.Unknown()),
    export: Type.Optional(Type.Unknown()),
    /** Whether the student without distillation is trained beside, same seed and budget. */
    controls: Type.Optional(Type.Boolean()),
    seed: Type.Optional(Type.Integer({ minimum: 0 })),
  },
  closed,
);

export type Spec = Static<typeof Spec>;
