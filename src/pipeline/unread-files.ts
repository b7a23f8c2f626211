import { nearest } from '../core/nearest.ts';
import { externalNames } from '../core/onnx/external-data.ts';
import type { Model } from '../core/onnx/model.ts';
import { RetortError } from '../errors.ts';
import type { NamedFile } from './named-files.ts';
import type { Artifact } from './stage.ts';

/** What a job is sent as besides files that are named; over HTTP a part called almost so comes as one of these. */
const parts = ['dataset', 'options', 'spec', 'teacher'];

/**
 * What came with the job and is read by nothing: neither named by the spec nor external data of the teacher or of a model it
 * names. SPEC_INVALID for models, which were meant to be asked or trained, and for misspelt parts. Warnings of other files:
 * exporters leave some beside a model that it does not read.
 */
export function unreadFiles(
  companions: readonly Artifact[],
  named: readonly NamedFile[],
  models: readonly Model[],
): readonly string[] {
  const read = new Set([...named.map(({ file }) => file), ...models.flatMap(externalNames)]);
  const unread = companions.map(({ name }) => name).filter((name) => !read.has(name));
  const idle = unread.find((name) => /\.onnx$/i.test(name) || nearest(name, parts));
  if (idle === undefined) return unread.map((name) => `nothing reads "${name}", which came with the job`);
  const part = nearest(idle, parts);
  const names = named.length > 0 ? ` The spec names ${named.map(({ file }) => file).join(', ')}.` : '';
  throw new RetortError('SPEC_INVALID', `nothing reads "${idle}", which came with the job`, {
    problems: unread.map((name) => `"${name}" is not read`),
    hint: part
      ? `Did you mean the part "${part}"?`
      : `Name it in the spec (strategy "ensemble" or "federated" for a teacher, student.model for a student), or leave it out.${names}`,
  });
}
