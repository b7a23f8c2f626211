// A worker of its own, as `retort worker` would start it: settings from the environment, hands back on SIGTERM.
import { readConfig } from '../../src/config.ts';
import { createLog } from '../../src/log.ts';
import { startWorker } from '../../workers/main.ts';

const config = readConfig(process.env);
const worker = await startWorker(
  config,
  config.REDIS_URL,
  createLog(config.RETORT_LOG_LEVEL, 'worker'),
);
process.on('SIGTERM', () => void worker.close().then(() => process.exit(0)));
process.send?.('ready');
