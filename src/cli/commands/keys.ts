import { openStores } from '../../adapters/storage/index.ts';
import { systemClock } from '../../adapters/system-clock.ts';
import { readConfig } from '../../config.ts';
import { RetortError } from '../../errors.ts';
import { type KeyLimits, type Scope, scopes } from '../../service/keys/api-key.ts';
import { Keys } from '../../service/keys/keys.ts';
import type { CliCommand, CliIo } from '../command.ts';
import { table } from '../table.ts';

interface CreateOptions {
  readonly name: string;
  readonly scopes: string;
  readonly openJobs?: number;
  readonly requests?: number;
  readonly uploads?: number;
}

/** `retort keys`: API keys of the service whose data this machine has. */
export const keys: CliCommand = {
  add(program, io) {
    const verbs = program
      .command('keys')
      .description('makes, lists and revokes API keys; works on the stores, see .env.example');
    verbs
      .command('create')
      .description('makes a key and shows its token, once')
      .requiredOption('--name <name>', 'whose it is')
      .option('--scopes <list>', `of ${scopes.join(', ')}, comma-separated`, 'write')
      .option('--open-jobs <n>', 'unfinished jobs it may have', Number)
      .option('--requests <n>', 'requests a minute', Number)
      .option('--uploads <n>', 'uploads at the same time', Number)
      .action((options: CreateOptions) => create(options, io));
    verbs
      .command('list')
      .description('lists keys; tokens are not stored')
      .action(() => list(io));
    verbs
      .command('revoke')
      .description('makes a key worthless within five seconds')
      .argument('<id>', 'as in `retort keys list`')
      .action(async (id: string) => {
        await (await openKeys()).revoke(id);
      });
  },
};

async function openKeys(): Promise<Keys> {
  const { jobs } = await openStores(readConfig(process.env));
  return new Keys({ jobs, clock: systemClock });
}

async function create(options: CreateOptions, io: CliIo): Promise<void> {
  const wanted = options.scopes.split(',').map((scope) => scope.trim());
  const unknown = wanted.find((scope) => !(scopes as readonly string[]).includes(scope));
  if (unknown !== undefined) {
    throw new RetortError('USAGE', `there is no scope "${unknown}"`, {
      hint: `Known: ${scopes.join(', ')}.`,
    });
  }
  const { token } = await (await openKeys()).create({
    name: options.name,
    scopes: wanted as Scope[],
    limits: limitsOf(options),
  });
  io.out.write(`${token}\n`);
}

async function list(io: CliIo): Promise<void> {
  const rows = (await (await openKeys()).list()).map(
    ({ id, name, scopes: granted, createdAt, revokedAt }) => [
      id,
      name,
      granted.join(','),
      new Date(createdAt).toISOString(),
      revokedAt === null ? '' : `revoked ${new Date(revokedAt).toISOString()}`,
    ],
  );
  io.out.write(table([['id', 'name', 'scopes', 'created', ''], ...rows]));
}

function limitsOf({ openJobs, requests, uploads }: CreateOptions): KeyLimits {
  const limits = Object.entries({ openJobs, requestsPerMinute: requests, uploads }).filter(
    ([, limit]) => limit !== undefined,
  );
  const wrong = limits.find(([, limit]) => !Number.isInteger(limit) || limit! < 1);
  if (wrong) throw new RetortError('USAGE', `${wrong[0]}: a limit is a whole number from 1 on`);
  return Object.fromEntries(limits);
}
