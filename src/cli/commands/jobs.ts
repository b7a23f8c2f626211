import type { Command } from 'commander';
import type { RetortClient } from '../../client/retort-client.ts';
import type { Distillation } from '../../contract/distillation.ts';
import type { CliCommand, CliIo } from '../command.ts';
import { fetchArtifacts } from '../distill/fetch-artifacts.ts';
import { finishJob } from '../distill/finish-job.ts';
import { addToken, clientOf, SERVER, type ServerOptions } from '../server-options.ts';
import { table } from '../table.ts';

type Options = ServerOptions & {
  readonly out?: string;
  readonly state?: Distillation['state'];
  readonly limit?: string;
};
type Action = (client: RetortClient, id: string, options: Options, io: CliIo) => Promise<void>;

/** What can be done with one job, by its verb. */
const verbs: Readonly<Record<string, { summary: string; option?: [string, string]; action: Action }>> = {
  show: {
    summary: 'prints a job as JSON',
    action: async ({ distillations }, id, _, io) =>
      void io.out.write(`${JSON.stringify(await distillations.get(id, io), null, 2)}\n`),
  },
  watch: {
    summary: 'shows what a job does until it ends, then its verdict',
    option: ['--out <folder>', 'where the results go; default: nowhere'],
    action: finishJob,
  },
  download: {
    summary: 'fetches the files of a finished job, checked by their sha256',
    option: ['--out <folder>', 'where they go; default: a folder named like the job'],
    action: async (client, id, { out = id }, io) =>
      void io.out.write(`${await fetchArtifacts(client, id, out, io)} files in ${out}\n`),
  },
  cancel: { summary: 'stops a job for good', action: steer('cancel') },
  pause: { summary: 'stops a job at its next checkpoint', action: steer('pause') },
  resume: { summary: 'lets a paused job go on', action: steer('resume') },
  retry: { summary: 'makes a new job of one that failed or was cancelled', action: steer('retry') },
  delete: {
    summary: 'removes a finished job and its files',
    action: async ({ distillations }, id, _, io) => {
      await distillations.delete(id, io);
      io.out.write(`${id}  deleted\n`);
    },
  },
};

/** `retort jobs ...`: the jobs on a server. */
export const jobs: CliCommand = {
  add(program, io) {
    const group = program.command('jobs').description('lists, watches and steers the jobs on a server');
    const add = (name: string, summary: string): Command =>
      addToken(group.command(name).description(summary).requiredOption(SERVER[0], SERVER[1]));
    add('list', 'lists jobs, newest first')
      .option('--state <state>', 'only those in this state')
      .option('--limit <count>', 'at most so many', '20')
      .action((options: Options) => list(clientOf(options), options, io));
    for (const [name, { summary, option, action }] of Object.entries(verbs)) {
      const command = add(name, summary).argument('<id>', 'id of the job (d_...)');
      if (option) command.option(...option);
      command.action((id: string, options: Options) => action(clientOf(options), id, options, io));
    }
  },
};

function steer(verb: 'cancel' | 'pause' | 'resume' | 'retry'): Action {
  return async ({ distillations }, id, _, io) => {
    const job = await distillations[verb](id, io);
    io.out.write(`${job.id}  ${job.state}\n`);
  };
}

async function list({ distillations }: RetortClient, { state, limit }: Options, io: CliIo): Promise<void> {
  const wanted = Math.max(1, Number(limit) || 1);
  const found: Distillation[] = [];
  const pageSize = Math.min(100, wanted);
  for await (const job of distillations.list({ ...(state ? { state } : {}), pageSize, signal: io.signal })) {
    if (found.push(job) >= wanted) break;
  }
  const share = (job: Distillation): string => {
    const { share: done = null } = job.progress ?? {};
    return done === null ? '' : `${Math.floor(100 * done)} %`;
  };
  const rows = found.map((job) => [job.id, job.state, job.stage ?? '', share(job), job.createdAt]);
  io.out.write(table([['id', 'state', 'stage', 'done', 'created'], ...rows]));
}
