import type { CliIo } from './command.ts';

/** Tells whoever presses Ctrl-C what it does to work in this process. */
export function announceStop(io: CliIo): void {
  const tell = (): void => {
    io.err.write('stopping after this step; press Ctrl-C again to stop at once\n');
  };
  io.signal.addEventListener('abort', tell, { once: true });
}
