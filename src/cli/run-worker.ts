import { startWorker } from '../../workers/main.ts';
import { openRedis } from '../adapters/queue/open-redis.ts';
import { readConfig } from '../config.ts';
import { createLog } from '../log.ts';
import type { CliIo } from './command.ts';
import { untilStopped } from './until-stopped.ts';

/** Starts a worker and keeps it up until it is told to stop. */
export async function runWorker(io: CliIo): Promise<void> {
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
