import { RetortError } from '../../errors.ts';
import type { Artifact } from '../../pipeline/stage.ts';
import type { JobInputs } from '../jobs/job.ts';

/** A stored file; `field` is the name of its part, `name` the one its sender gave the file. */
export interface ReceivedFile extends Artifact {
  readonly field: string;
}

/** The parts of a multipart request, in any order. */
export interface Received {
  readonly files: readonly ReceivedFile[];
  readonly fields: Readonly<Record<string, string>>;
}

/** What a job starts from, out of the parts `teacher`, `dataset` (one or more) and companions (all other files). */
export function inputsOf({ files }: Received): JobInputs {
  const named = (field: string): readonly Artifact[] =>
    files.filter((file) => file.field === field).map(artifact);
  const [teacher, ...more] = named('teacher');
  const data = named('dataset');
  const problems = [
    ...(teacher ? [] : ['there is no part "teacher" with a file']),
    ...(more.length > 0 ? [`there are ${more.length + 1} parts "teacher"`] : []),
    ...(data.length > 0 ? [] : ['there is no part "dataset" with a file']),
  ];
  if (!teacher || problems.length > 0) {
    throw new RetortError('UPLOAD_INVALID', problems[0]!, {
      problems,
      hint: 'Send one file as "teacher" and one or more as "dataset": curl -F teacher=@model.onnx -F dataset=@data.zip',
    });
  }
  const companions = companionsOf(files.filter(({ field }) => field !== 'teacher' && field !== 'dataset'));
  return { teacher, companions, data };
}

/** Files that a model or a spec names: their part is named as they are named there. */
export function companionsOf(files: readonly ReceivedFile[]): readonly Artifact[] {
  const names = files.map(({ field }) => field);
  const doubled = names.find((name, i) => names.indexOf(name) !== i);
  if (doubled !== undefined) throw new RetortError('UPLOAD_INVALID', `there are several parts "${doubled}"`);
  return files.map(({ field, hash, bytes }) => ({ name: field, hash, bytes }));
}

/** A field that holds JSON; undefined where there is none. */
export function jsonField({ fields }: Received, name: string): unknown {
  const text = fields[name];
  if (text === undefined) return undefined;
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new RetortError('UPLOAD_INVALID', `the part "${name}" is not JSON: ${(cause as Error).message}`, {
      cause,
    });
  }
}

const artifact = ({ name, hash, bytes }: ReceivedFile): Artifact => ({ name, hash, bytes });
