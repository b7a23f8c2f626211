import type { IncomingMessage } from 'node:http';

export interface RateWatch {
  /** Least pace, bytes a second. */
  readonly minRate: number;
  /** Time over which it is measured, milliseconds. */
  readonly window: number;
  readonly onSlow: (bytesPerSecond: number) => void;
  /** Called several times in a window with the bytes received so far. */
  readonly onTick: (received: number) => void;
}

/**
 * Watches the pace at which a body arrives until it is whole. Time during which the server itself does not read (its
 * disk is slower than the network) is not held against the client. Returns how to stop.
 */
export function watchRate(raw: IncomingMessage, { minRate, window, onSlow, onTick }: RateWatch): () => void {
  const { socket } = raw;
  const step = Math.max(10, Math.min(1_000, window / 10));
  const begin = socket.bytesRead;
  let [waited, mark, before] = [0, begin, performance.now()];
  const timer = setInterval(() => {
    if (raw.complete || raw.destroyed) return clearInterval(timer);
    const now = performance.now();
    // A late timer is our own delay as well.
    if (raw.readableFlowing !== false) waited += Math.min(now - before, 2 * step);
    before = now;
    onTick(socket.bytesRead - begin);
    if (waited < window) return;
    const pace = (socket.bytesRead - mark) / (waited / 1000);
    [waited, mark] = [0, socket.bytesRead];
    if (pace < minRate) {
      clearInterval(timer);
      onSlow(pace);
    }
  }, step);
  return () => clearInterval(timer);
}
