import type { StageContext } from './stage.ts';
import { hashOf } from './stage-key.ts';
import { StageRecord } from './stage-record.ts';

/** What a record goes by: the name and version of what makes it, and what decides its content. */
export interface RecordKey {
  readonly name: string;
  readonly version: number;
  readonly key: unknown;
}

/** Hash that the record of a stage, or of a part of it, goes by on this runtime. */
export const recordHash = ({ name, version, key }: RecordKey, runtimeVersion: string): string =>
  hashOf([name, version, runtimeVersion, key]);

export const recordId = (name: string, hash: string): string => `stage/${name}/${hash}`;

/**
 * A part of a stage with a record of its own: it goes on from its own partial work, and whatever asks for the same part
 * later finds it done.
 */
export async function recorded<T>(
  key: RecordKey,
  context: StageContext,
  work: (context: StageContext) => Promise<T>,
): Promise<T> {
  const hash = recordHash(key, context.runtime.version);
  const record = await StageRecord.open(context.jobs, recordId(key.name, hash));
  const finished = await record.output(context.blobs);
  if (finished) return finished.value as T;
  return record.finish(await work({ ...context, partial: record }));
}
