import { RetortError } from '../../errors.ts';
import type { CliCommand, CliIo } from '../command.ts';
import type { DistillOptions } from '../distill/distill-options.ts';
import { refuseSameNames } from '../distill/refuse-same-names.ts';
import { addToken, SERVER } from '../server-options.ts';

/** `retort distill`: the whole journey in this process, or on a server. */
export const distill: CliCommand = {
  add(program, io) {
    const command = program
      .command('distill')
      .description('distils a teacher into a student; run it again to go on after a stop')
      .requiredOption('--teacher <file>', 'the teacher, an ONNX model')
      .requiredOption('--data <file...>', 'the dataset: an archive, or several files')
      .option('--spec <file>', 'what to do, JSON; default: every default')
      .option('--out <folder>', 'where the results go')
      .option('--store <folder>', 'where work is kept and shared between runs; default: <out>/.retort')
      .option(
        '--with <file...>',
        'files the teacher or the spec names: external data, a student model, further teachers',
      )
      .option(SERVER[0], `${SERVER[1]} that does the work; default: this process does`)
      .option('--dry-run', 'only say what it would meet, and about what it would cost; --out may be left out')
      .option('--detach', 'with --server: print the id of the job and leave it there');
    addToken(command).action((options: DistillOptions) => run(options, io));
  },
};

async function run(options: DistillOptions, io: CliIo): Promise<void> {
  const { server, out, detach, store, dryRun } = options;
  if (server === undefined && detach)
    throw usage('--detach needs --server', 'There is no one to leave it to.');
  if (server !== undefined && store !== undefined) {
    throw usage('--store is not for --server', 'The server keeps its work where it was set up to.');
  }
  if (dryRun && detach) throw usage('--detach is not for --dry-run', 'It makes no job to leave there.');
  refuseSameNames(options.with);
  // Loaded where they are used: a server's user need not wait for the engines.
  if (server !== undefined && dryRun) {
    const { foreseeOnServer } = await import('../distill/foresee-on-server.ts');
    return foreseeOnServer({ ...options, server }, io);
  }
  if (server !== undefined && (detach || out !== undefined)) {
    const { distillOnServer } = await import('../distill/distill-on-server.ts');
    return distillOnServer({ ...options, server }, io);
  }
  if (dryRun) {
    const { foreseeHere } = await import('../distill/foresee-here.ts');
    return foreseeHere(options, io);
  }
  if (out !== undefined) {
    const { distillHere } = await import('../distill/distill-here.ts');
    return distillHere({ ...options, out }, io);
  }
  throw usage("required option '--out <folder>' not specified", 'Give a folder for the results.');
}

const usage = (message: string, hint: string): RetortError => new RetortError('USAGE', message, { hint });
