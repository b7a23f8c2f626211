import type { Dispatcher } from '../ports.ts';

/** Slots of living workers that a job in work could use, its own among them. While others wait they are theirs. */
export async function freeSlots(
  dispatcher: Pick<Dispatcher, 'workers' | 'counts'>,
  device: 'cpu' | 'cuda',
): Promise<number> {
  const [workers, { waiting, active }] = await Promise.all([dispatcher.workers(), dispatcher.counts(device)]);
  if (waiting > 0) return 1;
  const slots = workers.reduce((sum, each) => sum + (each.slots[device] ?? 0), 0);
  return Math.max(1, slots - active + 1);
}
