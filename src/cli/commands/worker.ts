import { startWorker } from '../../../workers/main.ts';
import { openRedis } from '../../adapters/queue/open-redis.ts';
import { readConfig } from '../../config.ts';
import { createLog } from '../../log.ts';
import type { CliCommand, CliIo } from '../command.ts';
import { untilStopped } from '../until-stopped.ts';

/** `retort worker`: works on jobs; any number of them, on any number of machines. */
export const worker: CliCommand = {
  add(program, io) {
    program
      .command('worker')
      .description('works on the jobs of a service; settings by environment, see .env.example')
      .action(() => run(io));
  },
};

async function run(io: CliIo): Promise<void> {
  const config = readConfig(process.env);
  const log = createLog(config.RETORT_LOG_LEVEL, 'worker');
  const stop = untilStopped(io.signal);
  const redis = await openRedis(config, log, stop.failed);
  try {
    const handle = await startWorker(config, redis.url, log);
    io.out.write('worker is ready\n');
    try {
      await stop.promise;
    } finally {
      await handle.close();
    }
  } finally {
    await redis.close();
  }
}
