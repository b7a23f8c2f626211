import type { CliCommand } from '../command.ts';

/** `retort worker`: works on jobs; any number of them, on any number of machines. */
export const worker: CliCommand = {
  add(program, io) {
    program
      .command('worker')
      .description('works on the jobs of a service; settings by environment, see .env.example')
      // Loaded where it is used: other commands must not wait for it.
      .action(async () => (await import('../run-worker.ts')).runWorker(io));
  },
};
