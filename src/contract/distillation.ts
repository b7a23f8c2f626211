import Type, { type Static } from 'typebox';
import { Spec } from '../spec/spec.ts';
import { closed, FileRef, Labels, Nullable, pageOf, Timestamp } from './shared.ts';

export const State = Type.Enum([
  'queued',
  'running',
  'pausing',
  'paused',
  'cancelling',
  'succeeded',
  'failed',
  'cancelled',
]);

/** What a user says of a job besides its spec. */
export const Options = Type.Object(
  {
    labels: Type.Optional(Labels),
    priority: Type.Optional(Type.Enum(['low', 'normal', 'high'], { default: 'normal' })),
    retainDays: Type.Optional(Type.Integer({ minimum: 1, maximum: 3650 })),
    cancelAfterSeconds: Type.Optional(
      Type.Integer({ minimum: 1, description: 'An unfinished job is cancelled so long after its creation' }),
    ),
  },
  closed,
);

/**
 * POST /v1/distillations as JSON, by reference to earlier uploads. As multipart/form-data the same things are parts, in
 * any order: `teacher` (a file), `dataset` (files), `spec` and `options` (JSON); every other file part is a companion,
 * named as in the model or the spec.
 */
export const CreateDistillation = Type.Object(
  {
    teacher: Type.String({ description: 'A model (m_...) or an upload (u_...)' }),
    dataset: Type.Union([Type.String(), Type.Array(Type.String(), { minItems: 1, maxItems: 16 })], {
      description: 'A dataset (ds_...), or uploads (u_...)',
    }),
    companions: Type.Optional(
      Type.Record(Type.String(), Type.String(), {
        maxProperties: 64,
        description: 'Name in the model or the spec -> model (m_...) or upload (u_...)',
      }),
    ),
    spec: Type.Optional(Spec),
    options: Type.Optional(Options),
  },
  closed,
);

const Progress = Type.Object(
  {
    stage: Type.String(),
    done: Type.Number(),
    total: Type.Number(),
    share: Nullable(Type.Number({ minimum: 0, maximum: 1 })),
    etaSeconds: Nullable(Type.Number({ description: 'Until this stage is done' })),
  },
  closed,
);

const Stage = Type.Object(
  {
    name: Type.String(),
    state: Type.Enum(['started', 'skipped', 'done']),
    seconds: Type.Number(),
  },
  closed,
);

const JobError = Type.Object(
  {
    code: Type.String(),
    message: Type.String(),
    hint: Nullable(Type.String()),
    problems: Type.Array(Type.String()),
    facts: Type.Record(Type.String(), Type.Unknown()),
    retryable: Type.Boolean(),
  },
  closed,
);

/** One distillation. */
export const Distillation = Type.Object(
  {
    id: Type.String(),
    state: State,
    createdAt: Timestamp,
    startedAt: Nullable(Timestamp),
    finishedAt: Nullable(Timestamp),
    expiresAt: Nullable(Timestamp),
    attempt: Type.Integer({ minimum: 0 }),
    retryOf: Nullable(Type.String()),
    labels: Labels,
    priority: Type.Enum(['low', 'normal', 'high']),
    inputs: Type.Object(
      { teacher: FileRef, companions: Type.Array(FileRef), data: Type.Array(FileRef) },
      closed,
    ),
    stage: Nullable(Type.String()),
    progress: Nullable(Progress),
    stages: Type.Array(Stage),
    error: Nullable(JobError),
    spec: Type.Object({ requested: Type.Unknown(), resolved: Type.Unknown() }, closed),
    urls: Type.Object(
      {
        self: Type.String(),
        events: Type.String(),
        metrics: Type.String(),
        artifacts: Type.String(),
        report: Type.String(),
        cancel: Type.String(),
        pause: Type.String(),
        resume: Type.String(),
        retry: Type.String(),
      },
      closed,
    ),
  },
  closed,
);

export const DistillationPage = pageOf(Distillation);

/** Something that happened to a job. Ids are 1, 2, 3, ... without gaps. */
export const Event = Type.Object(
  { id: Type.Integer({ minimum: 1 }), at: Timestamp, type: Type.String(), data: Type.Unknown() },
  closed,
);

export const EventPage = Type.Object(
  {
    items: Type.Array(Event),
    /** Id to go on from: `?after=`. */
    last: Type.Integer({ minimum: 0 }),
    /** Whether more may come. */
    open: Type.Boolean(),
  },
  closed,
);

export const Artifact = Type.Object(
  { name: Type.String(), bytes: Type.Integer(), sha256: Type.String(), url: Type.String() },
  closed,
);

export const ArtifactList = Type.Object({ items: Type.Array(Artifact) }, closed);

export type Options = Static<typeof Options>;
export type CreateDistillation = Static<typeof CreateDistillation>;
export type Distillation = Static<typeof Distillation>;
export type DistillationPage = Static<typeof DistillationPage>;
export type Event = Static<typeof Event>;
export type EventPage = Static<typeof EventPage>;
export type Artifact = Static<typeof Artifact>;
export type ArtifactList = Static<typeof ArtifactList>;
