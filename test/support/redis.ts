import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Redis } from 'ioredis';

/** Why tests that need Redis are skipped here; undefined where they are not. */
export const noRedis: string | undefined =
  spawnSync('redis-server', ['--version']).status === 0
    ? undefined
    : 'redis-server is not installed; `npm run setup` says how';

/** A real redis-server of a test, as a queue needs it: append-only file, no eviction. */
export interface TestRedis {
  readonly url: string;
  readonly client: Redis;
  /** Sends a signal to the server: SIGSTOP freezes it, SIGCONT lets it go on. */
  signal(name: NodeJS.Signals): void;
  /** Ends it without a word. */
  kill(): Promise<void>;
  /** Starts it again on the same port and files. */
  start(): Promise<void>;
  close(): Promise<void>;
}

export async function testRedis(): Promise<TestRedis> {
  for (let tries = 1; ; tries++) {
    try {
      return await redisOn(await freePort());
    } catch (error) {
      // Others may take the port between the look and the start.
      if (tries === 3) throw error;
    }
  }
}

async function redisOn(port: number): Promise<TestRedis> {
  const folder = await mkdtemp(join(tmpdir(), 'retort-redis-'));
  let server: ChildProcess | undefined;
  const client = new Redis(port, { maxRetriesPerRequest: null, retryStrategy: () => 50 });
  client.on('error', () => {});
  const start = async (): Promise<void> => {
    const settings = { port, dir: folder, appendonly: 'yes', 'maxmemory-policy': 'noeviction', save: '' };
    const args = Object.entries(settings).flatMap(([name, value]) => [`--${name}`, `${value}`]);
    const child = spawn('redis-server', [...args, '--bind', '127.0.0.1'], { stdio: 'ignore' });
    server = child;
    const ended = once(child, 'close').then(([code]) => {
      throw new Error(`redis-server ended with ${code}`);
    });
    const answered = client.info('server').then((info) => {
      if (!info.includes(`process_id:${child.pid}\r\n`))
        throw new Error(`another Redis has the port ${port}`);
    });
    await Promise.race([answered, ended]);
  };
  const kill = async (): Promise<void> => {
    const ended = new Promise((resolve) => server!.once('close', resolve));
    server!.kill('SIGKILL');
    await ended;
  };
  const close = async (): Promise<void> => {
    client.disconnect();
    if (server?.exitCode === null && server.signalCode === null) await kill();
    await rm(folder, { recursive: true, force: true });
  };
  await start().catch(async (error: unknown) => {
    await close();
    throw error;
  });
  return {
    url: `redis://127.0.0.1:${port}`,
    client,
    signal: (name) => void server!.kill(name),
    kill,
    start,
    close,
  };
}

export async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as { port: number };
  await new Promise((resolve) => server.close(resolve));
  return port;
}
