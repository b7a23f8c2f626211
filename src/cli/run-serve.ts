import { openRedis } from '../adapters/queue/open-redis.ts';
import { type Config, readConfig } from '../config.ts';
import { createLog, type Log } from '../log.ts';
import type { CliIo } from './command.ts';
import { startApi } from './start-api.ts';
import { untilStopped } from './until-stopped.ts';

/** Starts the service and keeps it up until it is told to stop. */
export async function runServe(io: CliIo): Promise<void> {
  const config = readConfig(process.env);
  const log = createLog(config.RETORT_LOG_LEVEL, 'retort');
  const stop = untilStopped(io.signal);
  const redis = await openRedis(config, log, stop.failed);
  try {
    const api = await startApi(config, redis.url, log);
    try {
      const worker = config.RETORT_WORKERS === '1' ? await workerBeside(config, redis.url, log) : undefined;
      io.out.write(`listening on ${api.url}\n`);
      try {
        await stop.promise;
      } finally {
        // Both at once: the API answers while the worker hands its job back.
        await Promise.all([api.close(), worker?.close()]);
      }
    } finally {
      await api.close();
    }
  } finally {
    await redis.close();
  }
}

/** Loaded where it is wanted: an API by itself has no use for kernels and runtimes. */
async function workerBeside(config: Config, redisUrl: string, log: Log) {
  const { startWorker } = await import('../../workers/main.ts');
  return startWorker(config, redisUrl, log);
}
