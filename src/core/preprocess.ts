import Type, { type Static } from 'typebox';

/** Of a picture, pixels. */
const Side = Type.Integer({ minimum: 1, maximum: 16_384 });

/** How a dataset column becomes an input of a model. */
export const Preprocess = Type.Object(
  {
    column: Type.Optional(Type.String()),
    /** Height and width pictures are resized to. Default: the model's input. */
    size: Type.Optional(Type.Tuple([Side, Side])),
    layout: Type.Optional(Type.Union([Type.Literal('NCHW'), Type.Literal('NHWC')])),
    colour: Type.Optional(Type.Union([Type.Literal('RGB'), Type.Literal('BGR'), Type.Literal('grey')])),
    /** x -> (x * scale - mean) / std, per channel. */
    scale: Type.Optional(Type.Number()),
    mean: Type.Optional(Type.Array(Type.Number())),
    std: Type.Optional(Type.Array(Type.Number({ exclusiveMinimum: 0 }))),
    /** A constant fed for every row instead of a column (thresholds, states). */
    constant: Type.Optional(Type.Array(Type.Number())),
  },
  { additionalProperties: false },
);

export type Preprocess = Static<typeof Preprocess>;
