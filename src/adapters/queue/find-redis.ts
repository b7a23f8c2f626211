import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { promisify } from 'node:util';
import { RetortError } from '../../errors.ts';
import { redisInstall } from './redis-install.ts';
import { isNewEnough, MINIMUM_VERSION } from './redis-problems.ts';

const run = promisify(execFile);

/** Valkey is what some distributions install in the place of Redis. */
const NAMES = ['redis-server', 'valkey-server'];

/** The server to start, by its name on PATH. SERVICE_SETUP says how to get one. */
export async function findRedis(): Promise<string> {
  for (const name of NAMES) {
    const told = await run(name, ['--version']).catch((error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOENT') return undefined;
      throw new RetortError('SERVICE_SETUP', `${name} is on PATH but does not run`, {
        cause: error,
        hint: hint(),
      });
    });
    if (!told) continue;
    const version = /\bv=(\d+\.\d+\.\d+)/.exec(told.stdout)?.[1];
    if (version !== undefined && isNewEnough(version)) return name;
    throw new RetortError(
      'SERVICE_SETUP',
      `${name} on PATH is version ${version ?? 'unknown'}, wanted ${MINIMUM_VERSION} or newer`,
      { hint: hint() },
    );
  }
  throw new RetortError('SERVICE_SETUP', 'redis-server is not on PATH, and REDIS_URL is not set', {
    hint: hint(),
  });
}

function hint(): string {
  const command = redisInstall(process.platform, osRelease(), process.getuid?.() === 0);
  const way = command ? `Run \`${command}\`` : 'Install it as the page "Install Redis" of redis.io says';
  return `${way}, or set REDIS_URL to a Redis of yours.`;
}

function osRelease(): string {
  try {
    return readFileSync('/etc/os-release', 'utf8');
  } catch {
    return '';
  }
}
