import Type, { type Static } from 'typebox';
import { closed, FileRef, Nullable, pageOf, Timestamp } from './shared.ts';

/** Models, datasets and uploads: files with a card. */

const CardState = Type.Enum(['inspecting', 'ready', 'refused'], {
  description: 'Whether the files were looked at yet; refused ones say why in `error`',
});
const Refusal = Type.Object(
  {
    code: Type.String(),
    message: Type.String(),
    hint: Nullable(Type.String()),
    problems: Type.Array(Type.String()),
  },
  closed,
);
const facts = {
  id: Type.String(),
  createdAt: Timestamp,
  expiresAt: Timestamp,
  state: CardState,
  error: Nullable(Refusal),
};

/** A model (m_...): `card` is a ModelInspection. */
export const Model = Type.Object(
  { ...facts, model: FileRef, companions: Type.Array(FileRef), card: Nullable(Type.Unknown()) },
  closed,
);

/** A dataset (ds_...): `card` is a DatasetCard. */
export const Dataset = Type.Object(
  { ...facts, data: Type.Array(FileRef), card: Nullable(Type.Unknown()) },
  closed,
);

/** A finished resumable upload (u_...). */
export const Upload = Type.Object(
  { id: Type.String(), createdAt: Timestamp, expiresAt: Timestamp, file: FileRef },
  closed,
);

export const ModelPage = pageOf(Model);
export const DatasetPage = pageOf(Dataset);

export type Model = Static<typeof Model>;
export type Dataset = Static<typeof Dataset>;
export type Upload = Static<typeof Upload>;
