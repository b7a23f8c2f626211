import { setTimeout as sleep } from 'node:timers/promises';
import { RetortError } from '../../errors.ts';
import type { Log } from '../../log.ts';
import { type Attached, attachRedis } from './attach-redis.ts';
import { countKeepers } from './probe-redis.ts';
import { RedisFolder } from './redis-folder.ts';
import { stopRedis } from './redis-process.ts';

export interface PrivateRedisOptions {
  readonly log: Log;
  /** It died again and again and is not started any more. */
  readonly onGone?: (error: RetortError) => void;
  /** Failures in a row after which it is given up. A server that has lived for `stableMs` ends the row. */
  readonly maxFailures?: number;
  readonly stableMs?: number;
}

const MAX_FAILURES = 10;
const STABLE_MS = 2000;
const backoffMs = (failures: number): number => Math.min(100 * 2 ** (failures - 1), 5000);

/**
 * The redis-server of a data folder. Every process that opens it keeps it alive: whoever sees it die starts it again,
 * on the same port and data, and the last one to close stops it. One that outlived its keepers is adopted.
 */
export class PrivateRedis {
  /** Holds the password: for connections, not for logs. */
  readonly url: string;
  readonly #folder: RedisFolder;
  readonly #options: PrivateRedisOptions;
  readonly #closing = new AbortController();
  #server: Attached;
  #since = performance.now();
  #failures = 0;
  #recovering: Promise<void> = Promise.resolve();
  #closed: Promise<void> | undefined;

  private constructor(folder: RedisFolder, server: Attached, options: PrivateRedisOptions) {
    const { port, password } = server.address;
    this.url = `redis://:${password}@127.0.0.1:${port}/0`;
    this.#folder = folder;
    this.#options = options;
    this.#server = server;
    this.#watch();
  }

  /** Starts or adopts it. SERVICE_SETUP where no usable redis-server is installed. */
  static async open(dataFolder: string, options: PrivateRedisOptions): Promise<PrivateRedis> {
    const folder = new RedisFolder(dataFolder);
    await folder.create();
    const server = await folder.locked(() => attachRedis(folder));
    const { pid, address, adopted } = server;
    options.log.info(
      { redisPid: pid, port: address.port },
      `private Redis ${adopted ? 'was running' : 'started'}`,
    );
    return new PrivateRedis(folder, server, options);
  }

  /** Process id of the server, as it is now. */
  get pid(): number {
    return this.#server.pid;
  }

  /** Leaves it, and stops it if no other process keeps it. */
  close(): Promise<void> {
    this.#closed ??= this.#close();
    return this.#closed;
  }

  #watch(): void {
    this.#since = performance.now();
    const { redis } = this.#server;
    const lost = (): void => {
      if (!this.#closing.signal.aborted) this.#recovering = this.#recover();
    };
    if (redis.status === 'end') lost();
    else redis.once('end', lost);
  }

  async #recover(): Promise<void> {
    const { log, maxFailures = MAX_FAILURES, stableMs = STABLE_MS, onGone } = this.#options;
    if (performance.now() - this.#since >= stableMs) this.#failures = 0;
    log.warn({ redisPid: this.pid }, 'the private Redis is gone');
    while (++this.#failures <= maxFailures) {
      const { signal } = this.#closing;
      await sleep(backoffMs(this.#failures), undefined, { signal }).catch(() => {});
      if (signal.aborted) return;
      try {
        this.#server = await this.#folder.locked(() => attachRedis(this.#folder, this.#server.address));
        log.info({ redisPid: this.pid, failures: this.#failures }, 'the private Redis is back');
        return this.#watch();
      } catch (error) {
        log.warn({ err: error, failures: this.#failures }, 'the private Redis could not be started');
      }
    }
    const gone = new RetortError(
      'QUEUE_UNAVAILABLE',
      `the private Redis failed ${maxFailures} times in a row`,
      {
        hint: 'It says why in redis/redis.log of the data folder. Jobs are kept: restart the service when it is mended.',
      },
    );
    log.error({ err: gone }, 'the private Redis is given up');
    onGone?.(gone);
  }

  async #close(): Promise<void> {
    this.#closing.abort();
    await this.#recovering;
    const { redis } = this.#server;
    if (redis.status !== 'ready') return redis.disconnect();
    // A full disk or a folder that is gone must not leave a server behind.
    await this.#folder
      .locked(() => this.#leave())
      .catch((error: unknown) => {
        this.#options.log.warn({ err: error }, 'the private Redis is left without its lock');
        return this.#leave();
      });
  }

  async #leave(): Promise<void> {
    const { redis, pid } = this.#server;
    const { log } = this.#options;
    // One that does not answer has no keeper who could use it.
    const keepers = await countKeepers(redis).catch(() => 1);
    if (keepers > 1) {
      log.info({ redisPid: pid, others: keepers - 1 }, 'left the private Redis to others');
      return redis.disconnect();
    }
    const how = await stopRedis(this.#server);
    await this.#folder.forget();
    log.info({ redisPid: pid }, `private Redis ${how === 'ended' ? 'stopped' : 'had to be killed'}`);
  }
}
