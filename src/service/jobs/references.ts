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
  for (const id of ids) data.push(...dataOf(await read(id, 'dataset'), id));
  const named = new Map<string, Artifact>();
  const beside = [...(model.companions ?? [])];
  for (const [name, id] of Object.entries(companions)) {
    const companion = await read(id, `companion "${name}"`);
    named.set(name, { ...modelOf(companion, `companion "${name}"`, id), name });
    beside.push(...(companion.companions ?? []));
  }
  return { teacher: modelOf(model, 'teacher', teacher), companions: joined(named, beside), data };
}

const kinds = [
  ['m_', 'model'],
  ['ds_', 'dataset'],
  ['u_', 'upload'],
] as const;

/** The one file of a model or an upload. */
function modelOf({ model, file }: Stored, what: string, id: string): Artifact {
  const found = model ?? file;
  if (found) return found;
  throw new RetortError('UPLOAD_INVALID', `${what}: "${id}" is a dataset`, {
    hint: 'Give a model (m_...) or a finished upload (u_...).',
  });
}

function dataOf({ file, data }: Stored, id: string): readonly Artifact[] {
  const files = file ? [file] : data;
  if (files && files.length > 0) return files;
  throw new RetortError('UPLOAD_INVALID', `dataset: "${id}" is a model`, {
    hint: 'Give a dataset (ds_...) or finished uploads (u_...).',
  });
}

/** What the request names, and what came with its models; a name stands for one file in all of the job. */
function joined(named: ReadonlyMap<string, Artifact>, beside: readonly Artifact[]): readonly Artifact[] {
  const all = new Map(named);
  for (const file of beside) {
    const known = all.get(file.name);
    if (known && known.hash !== file.hash && !named.has(file.name)) {
      throw new RetortError('UPLOAD_INVALID', `two models bring different files "${file.name}" along`, {
        hint: 'Name the external data of each model differently, or export the models in one file.',
      });
    }
    if (!known) all.set(file.name, file);
  }
  return [...all.values()];
}
