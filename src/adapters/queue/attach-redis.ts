import { RetortError } from '../../errors.ts';
import { isRunning } from '../birth-of.ts';
import { findRedis } from './find-redis.ts';
import { probeRedis } from './probe-redis.ts';
import { isFree, newAddress, type RedisAddress, type RedisFolder } from './redis-folder.ts';
import { type RunningRedis, startRedis } from './redis-process.ts';

const PROBE_MS = 5000;
const PORTS = 5;

export interface Attached extends RunningRedis {
  readonly address: RedisAddress;
  readonly adopted: boolean;
}

/**
 * The server of a folder: the one that runs, else a new one at the same address, so that whoever was connected finds it
 * again. Another address is taken only where someone else sits at the old one, and not if `expected` must stay. The
 * caller holds the folder's lock; two servers on one append-only file would destroy it.
 */
export async function attachRedis(folder: RedisFolder, expected?: RedisAddress): Promise<Attached> {
  let address = expected ?? (await folder.address());
  if (address) {
    const probe = await probeRedis(address, PROBE_MS);
    if (probe.found === 'ours') return { ...probe, address, adopted: true };
    const pid = (await folder.address())?.pid;
    if (probe.found === 'silence' && pid !== undefined && isRunning(pid)) throw frozen();
    if (probe.found !== 'nobody') {
      if (expected) throw occupied(expected);
      address = undefined;
    }
  }
  const program = await findRedis();
  for (let tries = 1; ; tries += 1) {
    address ??= await newAddress();
    try {
      return { ...(await startRedis(program, folder, address)), address, adopted: false };
    } catch (error) {
      // Between the look at a free port and the start, someone else may take it.
      if (await isFree(address.port)) throw error;
      if (expected) throw occupied(expected);
      if (tries === PORTS) throw error;
      address = undefined;
    }
  }
}

const frozen = (): RetortError =>
  new RetortError(
    'QUEUE_UNAVAILABLE',
    'the private redis-server of this data folder runs but does not answer',
    {
      hint: 'It may be stopped or very busy: wait for it, or end it; its data is kept.',
    },
  );

const occupied = ({ port }: RedisAddress): RetortError =>
  new RetortError('QUEUE_UNAVAILABLE', `another program took port ${port} of the private redis-server`, {
    hint: 'Restart the service: it takes another port then.',
  });
