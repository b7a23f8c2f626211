import type { CliCommand } from '../command.ts';

/** `retort serve`: the API, and a worker beside it unless RETORT_WORKERS=0. */
export const serve: CliCommand = {
  add(program, io) {
    program
      .command('serve')
      .description('starts the service: API and worker; settings by environment, see .env.example')
      // Loaded where it is used: other commands must not wait for it.
      .action(async () => (await import('../run-serve.ts')).runServe(io));
  },
};
