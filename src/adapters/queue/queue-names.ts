/** Names in Redis, shared by the sides that write and read them. */

export const PREFIX = 'retort';

export type QueueDevice = 'cpu' | 'cuda';

/** Jobs for the CPU may go to every worker, those for CUDA only to workers that have it. */
export const queueName = (device: QueueDevice): string => `jobs-${device}`;

/** Name of an entry: the n-th dispatch of a job. */
export const entryName = ({ id, dispatch }: { readonly id: string; readonly dispatch: number }): string =>
  `${id}.${dispatch}`;

/** Name of a group of parts of that dispatch. */
export const groupName = (of: {
  readonly id: string;
  readonly dispatch: number;
  readonly attempt: number;
  readonly group: number;
}): string => `${entryName(of)}.${of.attempt}.${of.group}`;

/** Sorted set of workers, by the time they last showed themselves. */
export const PRESENCE_KEY = `${PREFIX}:workers`;
export const PRESENCE_EVERY_MS = 5000;
export const PRESENCE_MS = 15_000;

export const channelName = (topic: string): string => `${PREFIX}:${topic}`;
