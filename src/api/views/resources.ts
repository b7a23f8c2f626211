import type { Dataset, Model } from '../../contract/resources.ts';
import type { Artifact } from '../../pipeline/stage.ts';
import type { DatasetRecord } from '../../service/files/datasets.ts';
import type { StoredModel } from '../../service/files/models.ts';

const time = (ms: number): string => new Date(ms).toISOString();
const file = ({ name, hash, bytes }: Artifact) => ({ name, bytes, sha256: hash });

export const modelView = ({ id, createdAt, expiresAt, model, companions, card }: StoredModel): Model => ({
  id,
  createdAt: time(createdAt),
  expiresAt: time(expiresAt),
  state: 'ready',
  error: null,
  model: file(model),
  companions: companions.map(file),
  card,
});

export function datasetView(dataset: DatasetRecord): Dataset {
  const { id, createdAt, expiresAt, state, error, data, card } = dataset;
  return {
    id,
    createdAt: time(createdAt),
    expiresAt: time(expiresAt),
    state,
    error: error && {
      code: error.code,
      message: error.message,
      hint: error.hint,
      problems: [...error.problems],
    },
    data: data.map(file),
    card,
  };
}
