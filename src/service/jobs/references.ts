import { RetortError } from '../../errors.ts';
import type { JobStore } from '../../pipeline/ports.ts';
import type { Artifact } from '../../pipeline/stage.ts';
import type { JobInputs } from './job.ts';

/** What a request by reference names: ids of models (m_...), datasets (ds_...) and uploads (u_...). */
export interface References {
  readonly teacher: string;
  readonly dataset: string | readonly string[];
  readonly companions?: Readonly<Record<string, string>>;
}

interface Stored {
  readonly owner: string;
  readonly model?: Artifact;
  readonly companions?: readonly Artifact[];
  readonly data?: readonly Artifact[];
  readonly file?: Artifact;
}

/**
 * The files behind references; NOT_FOUND names the one that is not there or not the owner's.
 *
 * @param owner undefined: may use everything
 */
export async function inputsBehind(
  jobs: JobStore,
  owner: string | undefined,
  { teacher, dataset, companions = {} }: References,
): Promise<JobInputs> {
  const read = async (id: string, what: string): Promise<Stored> => {
    const kind = kinds.find(([prefix]) => id.startsWith(prefix));
    const record = kind && /^[A-Za-z0-9_]+$/.test(id) ? await jobs.get(`${kind[1]}/${id}`) : undefined;
    const stored = record?.value as Stored | undefined;
    if (stored && (owner === undefined || stored.owner === owner)) return stored;
    throw new RetortError('NOT_FOUND', `${what}: there is no "${id.slice(0, 80)}"`, {
      hint: 'Models are m_..., datasets ds_..., finished uploads u_...',
    });
  };
  const model = await read(teacher, 'teacher');
  const ids = typeof dataset === 'string' ? [dataset] : dataset;
  const data: Artifact[] = [];
  for (const id of ids) data.push(...filesOf(await read(id, 'dataset'), 'dataset', id));
  const named: Artifact[] = [];
  for (const [name, id] of Object.entries(companions)) {
    const [file] = filesOf(await read(id, `companion "${name}"`), 'companion', id);
    named.push({ ...file!, name });
  }
  return {
    teacher: model.model ?? filesOf(model, 'teacher', teacher)[0]!,
    companions: [...(model.companions ?? []), ...named],
    data,
  };
}

const kinds = [
  ['m_', 'model'],
  ['ds_', 'dataset'],
  ['u_', 'upload'],
] as const;

function filesOf(stored: Stored, what: string, id: string): readonly Artifact[] {
  const files = stored.file ? [stored.file] : stored.data;
  if (files && files.length > 0) return files;
  throw new RetortError('UPLOAD_INVALID', `"${id}" cannot be used as ${what}`);
}
