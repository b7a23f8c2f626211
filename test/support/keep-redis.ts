/** Keeps the private Redis of a folder in a process of its own: says its process id, closes when it gets a line. */
import { once } from 'node:events';
import { PrivateRedis } from '../../src/adapters/queue/private-redis.ts';
import { createLog } from '../../src/log.ts';

const redis = await PrivateRedis.open(process.argv[2]!, { log: createLog('silent', 'keeper') });
console.log(JSON.stringify({ pid: redis.pid, url: redis.url }));
await once(process.stdin, 'data');
await redis.close();
process.exit(0);
