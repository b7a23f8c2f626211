import { availableParallelism, loadavg } from 'node:os';

/** A promised time; three times it where others keep this machine busy, as in the whole suite. */
export const within = (time: number): number => (loadavg()[0]! > availableParallelism() ? 3 : 1) * time;
