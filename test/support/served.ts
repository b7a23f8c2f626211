import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type TestRedis, testRedis } from './redis.ts';

const bin = fileURLToPath(new URL('../../bin/retort.js', import.meta.url));

/** `retort serve` as a process of its own, on a Redis and a folder of its own. */
export interface Served {
  readonly url: string;
  /** Ends the server without a word. */
  kill(): Promise<void>;
  /** Starts it again on the same port, folder and Redis. */
  start(): Promise<void>;
  close(): Promise<void>;
}

export async function served(settings: Readonly<Record<string, string>> = {}): Promise<Served> {
  const redis: TestRedis = await testRedis();
  const folder = await mkdtemp(join(tmpdir(), 'retort-served-'));
  // A free one at the first start.
  let port = 0;
  let server: ChildProcess | undefined;
  const kill = async (signal: NodeJS.Signals = 'SIGKILL'): Promise<void> => {
    if (!server || server.exitCode !== null || server.signalCode !== null) return;
    const ended = new Promise((resolve) => server!.once('close', resolve));
    server.kill(signal);
    await ended;
  };
  const start = async (): Promise<void> => {
    const child = spawn(process.execPath, [bin, 'serve'], {
      env: {
        ...process.env,
        RETORT_DATA: folder,
        RETORT_PORT: `${port}`,
        REDIS_URL: redis.url,
        RETORT_LOG_LEVEL: 'warn',
        RETORT_DRAIN_SECONDS: '1',
        ...settings,
      },
      stdio: ['ignore', 'pipe', process.env.RETORT_DEBUG ? 'inherit' : 'ignore'],
    });
    server = child;
    let said = '';
    await new Promise<void>((resolve, reject) => {
      child.stdout!.on('data', (chunk: Buffer) => {
        said += chunk.toString();
        const listening = /^listening on \S+:(\d+)\n/m.exec(said);
        if (listening) {
          port = Number(listening[1]);
          resolve();
        }
        if (process.env.RETORT_DEBUG) process.stderr.write(chunk);
      });
      child.once('close', (code) => reject(new Error(`retort serve ended with ${code}`)));
    });
  };
  await start();
  return {
    url: `http://127.0.0.1:${port}`,
    kill: () => kill(),
    start,
    async close() {
      await kill('SIGTERM');
      await redis.close();
      await rm(folder, { recursive: true, force: true, maxRetries: 5 });
    },
  };
}
