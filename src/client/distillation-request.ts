import type { CreateDistillation, Options } from '../contract/distillation.ts';
import type { Spec } from '../spec/spec.ts';
import { type FileInput, isStream, type NamedFile, named, type Part } from './files.ts';
import { multipart } from './multipart.ts';
import type { Call } from './transport.ts';
import type { Uploads } from './uploads.ts';

/** A file to send, or the id of one that is there already. */
export type FileOrId = FileInput | string;

/** What a distillation is made of. */
export interface DistillationInput {
  readonly teacher: FileOrId;
  /** An archive, or several files; or a dataset (ds_...), or uploads (u_...). */
  readonly dataset: FileOrId | readonly FileOrId[];
  /** Files by their name in the model or the spec. */
  readonly companions?: Readonly<Record<string, FileOrId>>;
  readonly spec?: Spec;
  readonly options?: Options;
}

/** How the same things go over the wire. `repeatable`: whether the body can be sent again. */
export interface DistillationRequest {
  readonly call: Pick<Call, 'body' | 'headers' | 'json'>;
  readonly repeatable: boolean;
}

/**
 * Ids go as JSON, files as multipart/form-data. Where both are given the files are uploaded first, so that all of them
 * are ids.
 */
export async function distillationRequest(
  input: DistillationInput,
  uploads: Uploads,
  signal?: AbortSignal,
): Promise<DistillationRequest> {
  const { spec, options } = input;
  const files = [
    { field: 'teacher', file: input.teacher },
    ...Object.entries(input.companions ?? {}).map(([field, file]) => ({ field, file })),
    ...[input.dataset].flat().map((file) => ({ field: 'dataset', file })),
  ];
  if (files.every(({ file }) => typeof file !== 'string')) {
    const parts = files.map(({ field, file }): Part => ({ field, file: named(file as FileInput, field) }));
    const fields = {
      ...(spec === undefined ? {} : { spec: JSON.stringify(spec) }),
      ...(options === undefined ? {} : { options: JSON.stringify(options) }),
    };
    const { body, headers, repeatable } = multipart(fields, parts);
    return { call: { body, headers }, repeatable };
  }
  const idOf = async (file: FileOrId, name: string): Promise<string> =>
    typeof file === 'string' ? file : (await uploads.create(sendable(named(file, name)), { signal })).id;
  const companions: Record<string, string> = {};
  for (const [name, file] of Object.entries(input.companions ?? {}))
    companions[name] = await idOf(file, name);
  const dataset: string[] = [];
  for (const file of [input.dataset].flat()) dataset.push(await idOf(file, 'dataset'));
  const json: CreateDistillation = {
    teacher: await idOf(input.teacher, 'teacher'),
    dataset: dataset.length === 1 ? dataset[0]! : dataset,
    ...(input.companions === undefined ? {} : { companions }),
    ...(spec === undefined ? {} : { spec }),
    ...(options === undefined ? {} : { options }),
  };
  return { call: { json }, repeatable: true };
}

function sendable(file: NamedFile): NamedFile {
  if (!isStream(file.data)) return file;
  throw new TypeError(`"${file.name}" is a stream beside ids: give a Blob, or files only`);
}
