import Type, { type Static } from 'typebox';
import { closed, Nullable } from './shared.ts';

const Seconds = Type.Number({ minimum: 0 });

/** What a job would meet and cost: POST /v1/distillations:validate. */
export const Validation = Type.Object(
  {
    model: Type.Unknown({ description: 'A ModelInspection' }),
    dataset: Type.Unknown({ description: 'A DatasetCard' }),
    student: Type.Object(
      { parameters: Type.Integer(), macs: Nullable(Type.Integer()), bytes: Type.Integer() },
      closed,
    ),
    warnings: Type.Array(Type.String()),
    estimate: Type.Object(
      {
        seconds: Type.Object(
          {
            decode: Seconds,
            teach: Seconds,
            choose: Seconds,
            control: Seconds,
            train: Seconds,
            total: Seconds,
          },
          closed,
        ),
        memoryBytes: Type.Integer({ minimum: 0 }),
      },
      closed,
    ),
  },
  closed,
);

export type Validation = Static<typeof Validation>;
