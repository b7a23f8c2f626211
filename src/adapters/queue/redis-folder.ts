import { randomBytes, randomUUID } from 'node:crypto';
import { type FileHandle, mkdir, open, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { withFileLock } from '../storage/file-lock.ts';

/** How the processes of one data folder find its Redis. */
export interface RedisAddress {
  readonly port: number;
  readonly password: string;
  /** Of the server that was started last at this address. */
  readonly pid?: number;
}

export const CONFIG_FILE = 'redis.conf';

/** The folder of a private Redis: its data, its log, its configuration, its address. Only its user can read it. */
export class RedisFolder {
  readonly path: string;

  constructor(dataFolder: string) {
    this.path = join(dataFolder, 'redis');
  }

  async create(): Promise<void> {
    await mkdir(this.path, { recursive: true, mode: 0o700 });
  }

  /** One process at a time starts, adopts or stops the server. */
  locked<T>(body: () => Promise<T>): Promise<T> {
    return withFileLock(join(this.path, 'lock'), body);
  }

  /** Undefined where there is none, or nothing that can be read as one. */
  async address(): Promise<RedisAddress | undefined> {
    const text = await readFile(join(this.path, 'connection.json'), 'utf8').catch(
      (error: NodeJS.ErrnoException) => {
        if (error.code !== 'ENOENT') throw error;
        return '{}';
      },
    );
    try {
      const { port, password, pid } = JSON.parse(text) as Partial<RedisAddress>;
      if (!Number.isInteger(port) || typeof password !== 'string') return undefined;
      return { port: port!, password, ...(typeof pid === 'number' ? { pid } : {}) };
    } catch {
      return undefined;
    }
  }

  async write(address: RedisAddress): Promise<void> {
    await this.#writeSecret('connection.json', JSON.stringify(address));
  }

  async forget(): Promise<void> {
    for (const name of ['connection.json', CONFIG_FILE]) await rm(join(this.path, name), { force: true });
  }

  async configure({ port, password }: RedisAddress): Promise<void> {
    const lines = [
      'bind 127.0.0.1',
      'protected-mode yes',
      `port ${port}`,
      `requirepass ${password}`,
      'daemonize no',
      'databases 1',
      // The server is started in its folder, so that no path has to be quoted.
      'dir ./',
      'appendonly yes',
      'appendfsync everysec',
      'save ""',
      'maxmemory-policy noeviction',
      'loglevel warning',
    ];
    await this.#writeSecret(CONFIG_FILE, `${lines.join('\n')}\n`);
  }

  log(): Promise<FileHandle> {
    return open(join(this.path, 'redis.log'), 'a', 0o600);
  }

  async #writeSecret(name: string, text: string): Promise<void> {
    const temporary = join(this.path, `${name}.${randomUUID()}`);
    await writeFile(temporary, text, { mode: 0o600, flag: 'wx' });
    await rename(temporary, join(this.path, name));
  }
}

/** An address nobody uses now. */
export async function newAddress(): Promise<RedisAddress> {
  return { port: await freePort(), password: randomBytes(32).toString('hex') };
}

export async function isFree(port: number): Promise<boolean> {
  return (await listen(port)) !== undefined;
}

async function freePort(): Promise<number> {
  const port = await listen(0);
  if (port === undefined) throw new Error('no port is free on 127.0.0.1');
  return port;
}

function listen(port: number): Promise<number | undefined> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => resolve(undefined));
    server.listen({ port, host: '127.0.0.1', exclusive: true }, () => {
      const address = server.address();
      const taken = typeof address === 'object' ? address?.port : undefined;
      server.close(() => resolve(taken));
    });
  });
}
