import type { Notifier } from '../src/service/ports.ts';

const LOOK_EVERY_MS = 1000;

/** Looks what users wish of a job: now, when told to, and every second anyway. Returns how to stop looking. */
export function watch(id: string, notifier: Notifier, look: () => Promise<void>): () => void {
  // Looked at again in a second; a store that stays away stops an attempt at its next write.
  const again = (): void => void look().catch(() => {});
  const timer = setInterval(again, LOOK_EVERY_MS);
  const unsubscribe = notifier.subscribe('control', (told) => {
    if (told === id) again();
  });
  again();
  return () => {
    clearInterval(timer);
    unsubscribe();
  };
}
