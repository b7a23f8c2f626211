/**
 * The seed of the `index`-th of several trainings of one job, the job's own for the first: initial weights, order of rows,
 * noise. Far from its neighbours, for phases add small numbers to it. Splits and augmented pixels keep the job's seed:
 * all students are compared on the same rows, and the teacher is asked once.
 */
export const trainingSeed = (seed: number, index: number): number =>
  (seed + Math.imul(index, 0x85ebca6b)) >>> 0;
