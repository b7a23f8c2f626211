// A worker as a process of its own, for tests that kill it. Settings come from the environment.
import { readConfig } from '../../src/config.ts';
import { createLog } from '../../src/log.ts';
import { startWorker } from '../../workers/main.ts';

const config = readConfig(process.env);
const worker = await startWorker(config, config.REDIS_URL, createLog(config.RETORT_LOG_LEVEL, 'worker'));
process.once('SIGTERM', () => void worker.close().then(() => process.exit(0)));
process.stdout.write('ready\n');
